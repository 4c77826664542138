import { isoTime } from '../../platform/postgres/json-sql.js';
import {
  alternativesOf,
  anyWordQuery,
  searchQuery,
  termQuery,
  type Alternative,
  type Match,
  type Term,
} from '../search/search-query.js';
import { wordsVersion } from '../search/words.js';
import { taskJson } from '../tasks.repository.js';
import type { PageRequest } from './page-request.js';
import type { Parameters } from './parameters.js';
import { filtersOf } from './task-filters.js';
import { afterPage, orderOf } from './task-keyset.js';
import { sortFields } from './task-sort.js';

/** Ranking reads every match: this many, the newest, and no more. */
const maxRanked = 10_000;
/**
 * And of those as many as have this much text together. The others come last, the newest first. To rank takes about 10 ms for
 * each megabyte of Latin text, 50 of Chinese, whose vectors are longer.
 */
const maxRankedBytes = 4 * 1024 * 1024;
/** Terms of the query that count for the rank. */
const maxRankedTerms = 10;

/**
 * A page of the tasks with words or tags. All matches are found first, and only then sorted. Left to choose, Postgres at
 * times reads all tasks of the user in the order of the list and looks for the words in each: it guesses that one in 200
 * tasks has any word that it knows nothing of. For a word that none of 100,000 tasks has, that took 132 ms instead of 0.2.
 */
export function searchSql(request: PageRequest): string {
  const { query, after, owner, limit, parameters } = request;
  const alternatives = alternativesOf(query.q ?? '');
  const words = alternatives.length === 0 ? null : hasWords(request, alternatives);
  const isRanked = query.sort.some(({ field }) => field === 'relevance');
  const conditions = [ownedBy(owner), ...filtersOf(query, { owner, words, tagsByIndex: true, parameters })];
  const matches = isRanked ? rankedMatches(request, alternatives, conditions) : plainMatches(conditions);
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

/**
 * A task that the sweeper has still to store anew is found by the words of before, as Postgres cuts them. `querytree` tells what an index
 * can look for there: nothing ('') or everything ('T') where there is no word to find.
 */
function hasWords(
  { query, userId, owner, parameters }: PageRequest,
  alternatives: readonly Alternative[],
): string {
  const words = parameters.add(searchQuery(userId, alternatives), 'tsquery');
  const before = `tasks.search_query(${owner}, ${parameters.add(query.q, 'text')})`;
  return `(
    (search_version >= ${wordsVersion} AND search @@ ${words}) OR
    (search_version < ${wordsVersion} AND search @@ ${before} AND querytree(${before}) NOT IN ('', 'T')))`;
}

/** What a list can be sorted by, not the whole tasks: 20,000 of those are more than Postgres sorts in memory. */
const sortable = ['id', ...sortFields.filter((field) => field !== 'relevance')].join(', ');

const plainMatches = (conditions: readonly string[]): string =>
  `SELECT ${sortable} FROM tasks.tasks WHERE ${conditions.join(' AND ')}`;

/** The newest matches with their rank. After the first page none that came since, or the 10,000 would be others. */
function rankedMatches(
  { userId, after, parameters }: PageRequest,
  alternatives: readonly Alternative[],
  conditions: readonly string[],
): string {
  const frozen =
    after === null ? [] : [`created_at <= ${parameters.add(after.newest ?? 'infinity', 'timestamptz')}`];
  return `
    SELECT ${sortable}, CASE WHEN text_read <= ${maxRankedBytes} THEN ${rankOf(userId, alternatives, parameters)} ELSE 0 END::float8 AS rank,
      max(created_at) OVER () AS newest
    FROM (
      SELECT ${sortable}, search,
        sum(100 + octet_length(description)) OVER (ORDER BY created_at DESC, id DESC) AS text_read
      FROM tasks.tasks WHERE ${[...conditions, ...frozen].join(' AND ')}
      ORDER BY created_at DESC, id DESC LIMIT ${maxRanked}
    ) AS candidates CROSS JOIN LATERAL (SELECT search || '' AS vector OFFSET 0) AS read_once`;
}

/**
 * How well a task matches: the more of the terms it has, the better (where some are alternatives), and then each term counts more in
 * the title than in the description alone, and more as it is than as the beginning of a word. How often it has the words decides
 * between equals: `ts_rank` is below 1. It compares places of words, by the product of their numbers, unless they are alternatives.
 */
function rankOf(userId: string, alternatives: readonly Alternative[], parameters: Parameters): string {
  const terms = alternatives.flatMap((alternative) => alternative.terms).slice(0, maxRankedTerms);
  const isSure = alternatives.length === 1;
  const when = (score: number, term: Term, match?: Match): string =>
    `WHEN vector @@ ${parameters.add(termQuery(userId, term, match), 'tsquery')} THEN ${score}`;
  const scores = terms.map((term) => {
    const least = term.isPrefix ? 101 : 102;
    const steps = [
      when(104, term, { isInTitle: true, isWhole: true }),
      ...(term.isPrefix ? [when(103, term, { isInTitle: true }), when(102, term, { isWhole: true })] : []),
      ...(isSure ? [`ELSE ${least}`] : [when(least, term), 'ELSE 0']),
    ];
    return `CASE ${steps.join(' ')} END`;
  });
  if (scores.length === 0) return '0';
  const often = `ts_rank(vector, ${parameters.add(anyWordQuery(userId, terms), 'tsquery')})`;
  return `${scores.join(' + ')} + 0.99 * ${often}`;
}
