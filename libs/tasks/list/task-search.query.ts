import { taskColumns } from '../tasks.repository.js';
import type { Parameters } from './parameters.js';
import type { Position } from './task-cursor.js';
import { filtersOf } from './task-filters.js';
import { orderOf, positionedAfter } from './task-keyset.js';
import type { TaskQuery } from './task-query.schema.js';

/** Ranking reads each match: this many, the newest, and no more. */
const maxRanked = 10_000;

/**
 * A page of the tasks with words or tags, which are found first, all of them, and only then sorted. Left to choose,
 * Postgres at times walks all tasks of the user in the order of the list and looks for the words in each: for a word
 * that none of 100,000 tasks has that took 132 ms instead of 0.2, as it guesses that one in 200 tasks has any word it
 * knows nothing of.
 */
export function searchSql(
  owner: string,
  query: TaskQuery,
  after: Position | null,
  limit: string,
  parameters: Parameters,
): string {
  const words = query.q === undefined ? null : wordsQuery(owner, parameters.add(query.q, 'text'));
  const isRanked = words !== null && query.sort.some(({ field }) => field === 'relevance');
  const conditions = [...matching(owner, words, query, parameters), ...filtersOf(query, parameters)];
  const matches = isRanked ? rankedMatches(words, conditions, after, parameters) : plainMatches(conditions);
  const position = after === null ? '' : `WHERE ${positionedAfter(query.sort, after, parameters)}`;
  const order = orderOf(query.sort);
  const extras = isRanked ? ', rank, newest' : '';
  return `
    WITH matches AS MATERIALIZED (${matches})
    SELECT ${taskColumns}${extras}
    FROM (SELECT id AS match_id${extras} FROM matches ${position} ORDER BY ${order} LIMIT ${limit}) AS page
    JOIN tasks.tasks ON id = match_id
    ORDER BY ${order}`;
}

/**
 * Words and tags carry the mark of their owner, so they select the user as well. The comparison sorts out who shares
 * the mark, and is put so that no index on the user offers itself.
 *
 * `querytree` is what an index can look for: nothing ('') or everything ('T') where there is no word to find.
 */
function matching(owner: string, words: string | null, { tag }: TaskQuery, parameters: Parameters): string[] {
  return [
    `(user_id = ${owner}) IS TRUE`,
    ...(words === null ? [] : [`search @@ ${words}`, `querytree(${words}) NOT IN ('', 'T')`]),
    ...(tag === undefined ? [] : [`search @@ tasks.tags_query(${owner}, ${parameters.add(tag, 'text[]')})`]),
  ];
}

const wordsQuery = (owner: string, q: string): string => `tasks.search_query(${owner}, ${q})`;

/** What a list can be sorted by, not the whole tasks: 20,000 of those are more than Postgres sorts in memory. */
const sortable = 'id, created_at, updated_at, due_at, priority, title';

const plainMatches = (conditions: readonly string[]): string =>
  `SELECT ${sortable} FROM tasks.tasks WHERE ${conditions.join(' AND ')}`;

/** The newest matches with their rank; after the first page none that came since, or the 10,000 would be others. */
function rankedMatches(
  words: string,
  conditions: readonly string[],
  after: Position | null,
  parameters: Parameters,
): string {
  const frozen =
    after === null ? [] : [`created_at <= ${parameters.add(after.newest ?? 'infinity', 'timestamptz')}`];
  return `
    SELECT ${sortable}, ts_rank_cd(search, ${words})::float8 AS rank, max(created_at) OVER () AS newest
    FROM (
      SELECT ${sortable}, search FROM tasks.tasks WHERE ${[...conditions, ...frozen].join(' AND ')}
      ORDER BY created_at DESC, id DESC LIMIT ${maxRanked}
    ) AS candidates`;
}
