import { currentTime } from '../platform/database/stored-times.js';
import { mayCommit } from '../platform/database/writer.js';
import type { Outbox } from '../platform/events/outbox.js';
import { prepared, type Statement } from '../platform/postgres/statement.js';
import { changesOf } from './task.js';
import { taskJson } from './tasks.repository.js';
import type { TaskPatch } from './tasks.schemas.js';

type Part = ReturnType<Outbox['statementPart']>;

/** Columns that a patch may change, with their types, by their properties of a task. */
const columns = {
  title: ['title', 'text'],
  description: ['description', 'text'],
  status: ['status', 'tasks.task_status'],
  priority: ['priority', 'tasks.task_priority'],
  dueAt: ['due_at', 'timestamptz'],
  tags: ['tags', 'text[]'],
} as const;
type Property = keyof typeof columns;

/** One for each set of fields, of which there are 64, with an event and without. */
const known = new Map<string, Statement>();

export interface PatchStatement {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  /** It publishes the change. */
  readonly hasEvent: boolean;
}

/**
 * A merge patch as one statement, by the rules of `patched`. Returns no row where there is no such task that is live, else:
 * its version before, whether that is one of `expectedVersions` (null: any is), and its JSON after the patch.
 * `eventPart` gives the part that publishes the change, for the number of placeholders before it.
 */
export function patchStatement(
  { userId, id, patch }: { readonly userId: string; readonly id: string; readonly patch: TaskPatch },
  expectedVersions: readonly number[] | null,
  eventPart: (count: number) => Part,
): PatchStatement {
  const changes = Object.entries(changesOf(patch)) as [Property, unknown][];
  const values = [id, userId, expectedVersions, ...changes.map(([, value]) => value)];
  const event = eventPart(values.length);
  const properties = changes.map(([property]) => property);
  const key = `${properties.join()} ${event === null ? '' : 'event'}`;
  const statement = known.get(key) ?? prepared(patchSql(properties, event));
  known.set(key, statement);
  return { statement, values: [...values, ...(event?.values ?? [])], hasEvent: event !== null };
}

/**
 * The row is locked first, so the statement sees its latest state. Only the columns of the patch are written: the search
 * vector is not computed again for a change of status. One time serves all columns.
 */
function patchSql(properties: readonly Property[], event: Part): string {
  const fields = properties.map((property, n) => {
    const [column, type] = columns[property];
    return { column, value: `$${n + 4}::${type}` };
  });
  const isChanged = fields.map(({ column, value }) => `${column} IS DISTINCT FROM ${value}`).join(' OR ');
  const status = fields.find(({ column }) => column === 'status')?.value;
  const completed =
    status === undefined
      ? []
      : [
          `completed_at = CASE WHEN task.status = ${status} THEN task.completed_at WHEN ${status} = 'done' THEN at END`,
        ];
  const sets = [
    ...fields.map(({ column, value }) => `${column} = ${value}`),
    ...completed,
    'updated_at = at',
    'version = task.version + 1',
  ];
  const latest = `$${4 + fields.length + (event?.values.length ?? 0)}`;
  return `
    WITH found AS MATERIALIZED (
      SELECT * FROM tasks.tasks WHERE id = $1::uuid AND user_id = $2::uuid AND deleted_at IS NULL FOR UPDATE),
    known AS MATERIALIZED (
      SELECT *, $3::int[] IS NULL OR version = ANY ($3::int[]) AS is_expected, ${isChanged || 'false'} AS is_changed,
        greatest(${currentTime}, created_at, updated_at, completed_at) AS at
      FROM found),
    effect AS (
      UPDATE tasks.tasks AS task SET ${sets.join(', ')}
      FROM (SELECT id AS known_id, at FROM known WHERE is_expected AND is_changed) AS changed
      WHERE id = known_id
      RETURNING id, user_id, task.version, ${taskJson} AS json)
    ${event === null ? '' : `, ${event.sql}`}
    SELECT known.version, is_expected, coalesce(effect.json, ${ofKnown}),
      CASE WHEN effect.json IS NOT NULL THEN ${mayCommit(latest)} END
    FROM known LEFT JOIN effect ON true`;
}

/** The same of the row before, in a statement that has another one of each column. */
const ofKnown = `(SELECT ${taskJson} FROM (SELECT known.*) AS unchanged)`;
