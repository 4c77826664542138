import { z } from 'zod';
import { listParameter } from '../../platform/schemas/fields.js';
import type { taskSchema } from '../tasks.schemas.js';

/** All but `relevance` are columns. */
export const sortFields = ['created_at', 'updated_at', 'due_at', 'priority', 'title', 'relevance'] as const;
export type SortField = (typeof sortFields)[number];

export interface SortKey {
  readonly field: SortField;
  readonly direction: 'asc' | 'desc';
}

export const defaultSort: readonly SortKey[] = [{ field: 'created_at', direction: 'desc' }];

/** The best match comes first: `relevance` has one direction, with or without the minus. */
const keyOf = (value: string): SortKey => {
  const field = value.replace('-', '') as SortField;
  return { field, direction: value.startsWith('-') || field === 'relevance' ? 'desc' : 'asc' };
};

const values = sortFields.flatMap((field) => [field, `-${field}`] as const);

export const sortParameter = () =>
  listParameter(100)
    .pipe(z.array(z.enum(values)).max(3, 'must have at most 3 keys'))
    .transform((keys) => keys.map(keyOf))
    .refine((keys) => new Set(keys.map(({ field }) => field)).size === keys.length, 'must name each key once')
    .meta({
      openapi: { type: 'array', items: { type: 'string', enum: values }, minItems: 1, maxItems: 3 },
      explode: false,
      description:
        'Up to three keys, each descending with a minus before it; the id breaks ties, null comes last. ' +
        'Titles sort by code point, ASCII letters without regard to case. `relevance` needs `q` and is best first: ' +
        'more of the words, then those in the title, then whole words; it ranks the newest 10,000 matches.',
    });

/** A row of a list, as it is answered; `rank` and `newest` where it is sorted by relevance. */
export type ListedTask = z.output<typeof taskSchema> & { readonly rank?: number; readonly newest?: string };

interface Column {
  /** Never null, so that keys compare by `<` and `>`. Each is the expression of an index. */
  readonly sql: Readonly<Record<SortKey['direction'], string>>;
  readonly type: string;
  /** The value of a row for a cursor, as `sql` gives it; null sorts last. */
  readonly of: (row: ListedTask) => string | number | null;
}

const both = (sql: string) => ({ asc: sql, desc: sql });

export const sortColumns: Readonly<Record<SortField, Column>> = {
  created_at: { sql: both('created_at'), type: 'timestamptz', of: (row) => row.created_at },
  updated_at: { sql: both('updated_at'), type: 'timestamptz', of: (row) => row.updated_at },
  due_at: {
    sql: { asc: `coalesce(due_at, 'infinity')`, desc: `coalesce(due_at, '-infinity')` },
    type: 'timestamptz',
    of: (row) => row.due_at,
  },
  priority: { sql: both('priority'), type: 'tasks.task_priority', of: (row) => row.priority },
  title: {
    sql: both('lower(title COLLATE "C")'),
    type: 'text',
    of: (row) => row.title.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  },
  relevance: { sql: both('rank'), type: 'float8', of: (row) => row.rank ?? 0 },
};
