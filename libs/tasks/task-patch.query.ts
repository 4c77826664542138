import {
  callsSql,
  mayCommit,
  rowWrite,
  type RowValues,
  type RowWrite,
} from '../platform/database/row-write.js';
import { currentTime } from '../platform/database/stored-times.js';
import type { VersionCondition } from '../platform/errors/common-errors.js';
import type { EventPart } from '../platform/events/outbox.js';
import { otherParts, searchVector } from './search/search-vector.js';
import { wordsVersion } from './search/words.js';
import { changesOf } from './task.js';
import { searchedParts, taskJson } from './tasks.repository.js';
import type { TaskPatch } from './tasks.schemas.js';

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
const known = new Map<string, RowWrite>();

/**
 * A merge patch as one statement, by the rules of `patched`. It returns no row where there is no such task that is live, else:
 * its version before, whether that is what `expected` asks for, and its JSON after the patch.
 */
export function patchWrite(
  { userId, id, patch }: { readonly userId: string; readonly id: string; readonly patch: TaskPatch },
  { anyOf, noneOf }: VersionCondition<number>,
  event: EventPart | null,
): { readonly write: RowWrite; readonly values: RowValues } {
  const changed = changesOf(patch);
  const changes = Object.entries(changed) as [Property, unknown][];
  const properties = changes.map(([property]) => property);
  const key = `${properties.join()} ${event === null ? '' : 'event'}`;
  const write = known.get(key) ?? rowWrite((forUpdate) => patchSql(properties, event, forUpdate));
  known.set(key, write);
  const fields = Object.fromEntries(changes.map(([property, value]) => [nameOf(property), value]));
  const search = isSearched(properties) ? { new_search: searchVector(userId, changed) } : {};
  const values = {
    id,
    user_id: userId,
    expected: anyOf,
    refused: noneOf,
    ...fields,
    ...search,
    ...event?.values,
  };
  return { write, values };
}

/** The column of `calls` with the new value. */
const nameOf = (property: Property): string => `new_${columns[property][0]}`;

/** The columns of `calls`, with their types. */
function columnsOf(properties: readonly Property[], event: EventPart | null): string {
  const given = properties.map((property) => `${nameOf(property)} ${columns[property][1]}`);
  const search = isSearched(properties) ? ['new_search text'] : [];
  const ofEvent = event === null ? [] : [event.columns];
  return ['id uuid', 'user_id uuid', 'expected int[]', 'refused int[]', ...given, ...search, ...ofEvent].join(
    ', ',
  );
}

const isSearched = (properties: readonly Property[]): boolean =>
  searchedParts.some((part) => properties.includes(part));

/** When the task was done: since its status became that. */
function completedSets(properties: readonly Property[]): string[] {
  if (!properties.includes('status')) return [];
  const status = nameOf('status');
  return [
    `completed_at = CASE WHEN task.status = ${status} THEN task.completed_at WHEN ${status} = 'done' THEN at END`,
  ];
}

/**
 * The search vector gets the new words of the changed parts and keeps those of the others. Where these are of another version, all
 * are as Postgres cuts them until `searchFill` comes to the task.
 */
function searchSets(properties: readonly Property[]): string[] {
  if (!isSearched(properties)) return [];
  const changed = searchedParts.filter((part) => properties.includes(part));
  const texts = searchedParts.map((part) => (changed.includes(part) ? nameOf(part) : `task.${part}`));
  const isCurrent = `task.search_version = ${wordsVersion}`;
  return [
    `search = CASE WHEN ${isCurrent} THEN (${otherParts('task.search', changed)} || ' ' || new_search)::tsvector
       ELSE tasks.search_vector(task.user_id, ${texts.join(', ')}) END`,
    `search_version = CASE WHEN ${isCurrent} THEN ${wordsVersion} ELSE 0 END`,
    'search_turn = NOT task.search_turn',
  ];
}

/**
 * The row is locked first, so the statement sees its latest state. Only the columns of the patch are written: the search
 * vector is not computed again for a change of status. One time serves all columns.
 */
function patchSql(properties: readonly Property[], event: EventPart | null, forUpdate: string): string {
  const fields = properties.map((property) => {
    const [column] = columns[property];
    return { column, value: nameOf(property) };
  });
  const isChanged = fields
    .map(({ column, value }) => `task.${column} IS DISTINCT FROM ${value}`)
    .join(' OR ');
  const sets = [
    ...fields.map(({ column, value }) => `${column} = ${value}`),
    ...completedSets(properties),
    ...searchSets(properties),
    'updated_at = at',
    'version = task.version + 1',
  ];
  const taken = [...fields.map(({ value }) => value), ...(isSearched(properties) ? ['new_search'] : [])]
    .map((value) => `, ${value}`)
    .join('');
  return `
    WITH ${callsSql(columnsOf(properties, event))},
    known AS MATERIALIZED (
      SELECT n, (expected IS NULL OR version = ANY (expected)) AND version <> ALL (refused) AS is_expected, ${isChanged || 'false'} AS is_changed,
        greatest(${currentTime}, created_at, updated_at, completed_at) AS at${taken}, task.*
      FROM calls CROSS JOIN LATERAL (
        SELECT * FROM tasks.tasks
        WHERE id = calls.id AND user_id = calls.user_id AND deleted_at IS NULL ${forUpdate}) AS task),
    effect AS (
      UPDATE tasks.tasks AS task SET ${sets.join(', ')}
      FROM (SELECT id AS known_id, at${taken} FROM known WHERE is_expected AND is_changed) AS changed
      WHERE id = known_id
      RETURNING id, user_id, task.version, ${taskJson} AS json)
    ${event === null ? '' : `, ${event.sql}`}
    SELECT n, known.version, is_expected, coalesce(effect.json, ${ofKnown}),
      CASE WHEN effect.json IS NOT NULL THEN ${mayCommit} END
    FROM known LEFT JOIN effect USING (id)`;
}

/** The same of the row before, in a statement that has another one of each column. */
const ofKnown = `(SELECT ${taskJson} FROM (SELECT known.*) AS unchanged)`;
