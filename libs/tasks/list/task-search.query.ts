import { isoTime } from '../../platform/postgres/json-sql.js';
import { taskJson } from '../tasks.repository.js';
import type { PageRequest } from './page-request.js';
import type { Parameters } from './parameters.js';
import type { PageEnd } from './task-cursor.js';
import { filtersOf } from './task-filters.js';
import { afterPage, orderOf } from './task-keyset.js';
import { sortFields } from './task-sort.js';

/** Ranking reads every match: this many, the newest, and no more. */
const maxRanked = 10_000;
/**
 * And of those as many as have this much text together. The others come last, the newest first. To rank takes about 12 ms for
 * each megabyte.
 */
const maxRankedBytes = 4 * 1024 * 1024;

/**
 * How well a task matches: how often it has each of the words, those of the title before those of the description. How near they
 * are to each other (`ts_rank_cd`) takes time by the product of their numbers: seconds for a few hundred tasks that repeat a
 * word. `ts_rank` does so too where all words must be there, and it is not asked for that here: a match is sure already.
 */
const rankOf = (words: string): string =>
  `ts_rank(search, regexp_replace(${words}::text, ' (&|<->|<[0-9]+>) ', ' | ', 'g')::tsquery)::float8`;

/**
 * A page of the tasks with words or tags. All matches are found first, and only then sorted. Left to choose, Postgres at
 * times reads all tasks of the user in the order of the list and looks for the words in each: it guesses that one in 200
 * tasks has any word that it knows nothing of. For a word that none of 100,000 tasks has, that took 132 ms instead of 0.2.
 */
export function searchSql({ query, after, owner, limit, parameters }: PageRequest): string {
  const words = query.q === undefined ? null : wordsQuery(owner, parameters.add(query.q, 'text'));
  const isRanked = words !== null && query.sort.some(({ field }) => field === 'relevance');
  const conditions = [ownedBy(owner), ...filtersOf(query, { owner, words, tagsByIndex: true, parameters })];
  const matches = isRanked ? rankedMatches(words, conditions, after, parameters) : plainMatches(conditions);
  const position = after === null ? '' : `WHERE ${afterPage(query.sort, after, parameters)}`;
  const order = orderOf(query.sort);
  const extras = isRanked ? ', rank, newest' : '';
  const shown = isRanked ? `, rank, ${isoTime('newest')}` : '';
  return `
    WITH matches AS MATERIALIZED (${matches})
    SELECT ${taskJson} AS json${shown}
    FROM (SELECT id AS match_id${extras} FROM matches ${position} ORDER BY ${order} LIMIT ${limit}) AS page
    JOIN tasks.tasks ON id = match_id
    ORDER BY ${order}`;
}

/**
 * Words and tags carry the mark of their owner, so they select the user as well. This comparison removes the tasks of
 * users with the same mark; its form keeps Postgres from using an index on the user for it.
 */
export const ownedBy = (owner: string): string => `(user_id = ${owner}) IS TRUE`;

const wordsQuery = (owner: string, q: string): string => `tasks.search_query(${owner}, ${q})`;

/** What a list can be sorted by, not the whole tasks: 20,000 of those are more than Postgres sorts in memory. */
const sortable = ['id', ...sortFields.filter((field) => field !== 'relevance')].join(', ');

const plainMatches = (conditions: readonly string[]): string =>
  `SELECT ${sortable} FROM tasks.tasks WHERE ${conditions.join(' AND ')}`;

/** The newest matches with their rank. After the first page none that came since, or the 10,000 would be others. */
function rankedMatches(
  words: string,
  conditions: readonly string[],
  after: PageEnd | null,
  parameters: Parameters,
): string {
  const frozen =
    after === null ? [] : [`created_at <= ${parameters.add(after.newest ?? 'infinity', 'timestamptz')}`];
  return `
    SELECT ${sortable}, CASE WHEN text_read <= ${maxRankedBytes} THEN ${rankOf(words)} ELSE 0 END AS rank,
      max(created_at) OVER () AS newest
    FROM (
      SELECT ${sortable}, search,
        sum(100 + octet_length(description)) OVER (ORDER BY created_at DESC, id DESC) AS text_read
      FROM tasks.tasks WHERE ${[...conditions, ...frozen].join(' AND ')}
      ORDER BY created_at DESC, id DESC LIMIT ${maxRanked}
    ) AS candidates`;
}
