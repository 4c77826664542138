import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MalformedRequest } from '../../platform/errors/common-errors.js';
import { instant, opaque, uuid } from '../../platform/schemas/fields.js';
import { priorities } from '../task.entity.js';
import { asSet, type TaskQuery } from './task-query.schema.js';
import { sortColumns, type ListedTask, type SortField } from './task-sort.js';

/** Where a page ended. The next one begins after it, whatever was inserted meanwhile. */
export interface PageEnd {
  /** Values of the sort keys, in their order; null sorts last. */
  readonly keys: readonly (string | number | null)[];
  readonly id: string;
  /** `created_at` of the newest match of the first page: relevance ranks nothing newer on the pages after it. */
  readonly newest: string | null;
}

const time = () => instant().transform((value) => value.toISOString());

const keySchemas: Readonly<Record<SortField, z.ZodType<string | number | null>>> = {
  created_at: time(),
  updated_at: time(),
  due_at: time().nullable(),
  priority: z.enum(priorities),
  title: opaque(0, 500),
  relevance: z.number().min(0).max(1e6),
};

/** Opaque to clients but not secret: a client that makes one up gets another position in its own list. */
export function encodeCursor(query: TaskQuery, last: ListedTask): string {
  const keys = query.sort.map(({ field }) => sortColumns[field].of(last));
  const content = [fingerprint(query), keys, last.id, last.newest ?? null];
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** @throws MalformedRequest `invalid_cursor` where it is none of ours, or of another query */
export function decodeCursor(query: TaskQuery, cursor: string): PageEnd {
  const [first, ...rest] = query.sort.map(({ field }) => keySchemas[field]);
  const keys = first === undefined ? z.tuple([]) : z.tuple([first, ...rest]);
  const content = z
    .tuple([z.literal(fingerprint(query)), keys, uuid(), time().nullable()])
    .safeParse(parseContent(cursor));
  if (!content.success) throw new MalformedRequest('The cursor is not one of this list.', 'invalid_cursor');
  const [, values, id, newest] = content.data;
  return { keys: values, id, newest };
}

function parseContent(cursor: string): unknown {
  // Node's decoder skips characters that are not base64url.
  if (!/^[\w-]+$/.test(cursor)) return null;
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

/** Equal for queries of the same list: the order of values does not count, and neither does the size of a page. */
function fingerprint({ limit, cursor, ...query }: TaskQuery): string {
  const { status, priority, tag, ...rest } = query;
  const sets = [status, priority, tag].map(asSet);
  const members = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([sets, members]))
    .digest('base64url')
    .slice(0, 11);
}
