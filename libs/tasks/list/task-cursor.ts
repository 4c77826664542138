import { hash } from 'node:crypto';
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

/** Made once, because Zod takes longer to make a schema than to apply it. The keys are of the fields that the list is sorted by. */
const envelope = z.tuple([z.string(), z.array(z.unknown()), uuid(), time().nullable()]);

/** Opaque to clients but not secret: a client that makes one up gets another position in its own list. */
export function encodeCursor(query: TaskQuery, last: ListedTask): string {
  const keys = query.sort.map(({ field }) => sortColumns[field].of(last));
  const content = [fingerprint(query), keys, last.id, last.newest ?? null];
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** @throws MalformedRequest `invalid_cursor` where it is none of ours, or of another query */
export function decodeCursor(query: TaskQuery, cursor: string): PageEnd {
  const content = envelope.safeParse(parseContent(cursor)).data;
  if (content === undefined || content[0] !== fingerprint(query)) throw notOfThisList();
  const [, values, id, newest] = content;
  if (values.length !== query.sort.length) throw notOfThisList();
  const keys = query.sort.map(({ field }, n) => keySchemas[field].safeParse(values[n]).data);
  if (!keys.every((key) => key !== undefined)) throw notOfThisList();
  return { keys, id, newest };
}

const notOfThisList = () => new MalformedRequest('The cursor is not one of this list.', 'invalid_cursor');

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
  return hash('sha256', JSON.stringify([sets, members]), 'base64url').slice(0, 11);
}
