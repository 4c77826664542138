import { prepared, quick, unprepared, type Statement } from '../../platform/postgres/statement.js';
import { taskJson } from '../tasks.repository.js';
import type { PageRequest } from './page-request.js';
import { Parameters } from './parameters.js';
import type { PageEnd } from './task-cursor.js';
import { filteredSql, firstTasksSql } from './task-filtered.query.js';
import { filtersOf } from './task-filters.js';
import { afterPage, orderOf } from './task-keyset.js';
import { indexedMatches } from './task-matches.js';
import { defaultLimit, type TaskQuery } from './task-query.schema.js';
import { searchSql } from './task-search.query.js';

export interface ListStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** It reads a few tasks, whichever they are. */
  readonly isQuick: boolean;
}

/**
 * The statement of a page: `limit` + 1 rows after `after`, each as JSON, with its rank and the time of the newest match where
 * it is sorted by relevance. The last row tells whether there are more.
 */
export function listStatement(userId: string, query: TaskQuery, after: PageEnd | null): ListStatement {
  const page = pageRequest(userId, query, after);
  const { text, isQuick } = sqlOf(page);
  return { text, isQuick, values: page.parameters.values };
}

/**
 * A statement that reads but the first tasks in the order of the list, for filters that many tasks pass: less than half of the
 * work of `listStatement`. What it finds is the page only if that is `limit` + 1 rows. Null where it would gain nothing.
 */
export function firstTasksStatement(
  userId: string,
  query: TaskQuery,
  after: PageEnd | null,
): ListStatement | null {
  const page = pageRequest(userId, query, after);
  const isApart = query.sort.length === 1 && indexedMatches(page) !== null;
  // Another one, because a statement has only the values that it names.
  const request = pageRequest(userId, query, after);
  return isApart ? { text: firstTasksSql(request), isQuick: true, values: request.parameters.values } : null;
}

function pageRequest(userId: string, query: TaskQuery, after: PageEnd | null): PageRequest {
  const parameters = new Parameters();
  const owner = parameters.add(userId, 'uuid');
  // Where it is a parameter, Postgres takes it for a tenth of the user's tasks. If those are more, it plans anew each time.
  const limit = query.limit === defaultLimit ? `${defaultLimit + 1}` : parameters.add(query.limit + 1, 'int');
  return { query, after, userId, owner, limit, parameters };
}

function sqlOf(page: PageRequest): Pick<ListStatement, 'text' | 'isQuick'> {
  const matches = indexedMatches(page);
  if (matches !== null) return { text: filteredSql(page, matches), isQuick: false };
  const { q, tag, overdue } = page.query;
  if (q !== undefined || tag !== undefined) return { text: searchSql(page), isQuick: false };
  // What is not overdue is in no index: it may be far in the list.
  return { text: walkSql(page), isQuick: overdue === undefined };
}

/** Reads an index in its order, from where the last page ended. */
function walkSql({ query, after, owner, limit, parameters }: PageRequest): string {
  const conditions = [
    `user_id = ${owner}`,
    ...filtersOf(query, { owner, words: null, tagsByIndex: false, parameters }),
    ...(after === null ? [] : [afterPage(query.sort, after, parameters)]),
  ];
  return `
    SELECT ${taskJson} AS json FROM tasks.tasks WHERE ${conditions.join(' AND ')}
    ORDER BY ${orderOf(query.sort)} LIMIT ${limit}`;
}

/** More than there are common texts: each plan takes memory in each connection. */
const maxPrepared = 64;
const known = new Map<string, Statement>();

/** The statement for a text of `listStatement`: planned once per connection where many calls have that text. */
export function preparedFor(query: TaskQuery, { text, isQuick }: ListStatement): Statement {
  const statement = known.get(text);
  if (statement !== undefined) return statement;
  if (!isCommon(query) || known.size >= maxPrepared) return unprepared(text);
  const fresh = isQuick ? quick(text) : prepared(text);
  known.set(text, fresh);
  return fresh;
}

/** Of the default size, in one order without a filter, or in the default one with a single filter: about fifty texts. */
function isCommon({ sort, limit, cursor: _cursor, ...filters }: TaskQuery): boolean {
  const [first, ...others] = sort;
  if (first === undefined || others.length > 0 || limit !== defaultLimit) return false;
  const count = Object.values(filters).filter(Boolean).length;
  return count === 0 || (count === 1 && first.field === 'created_at' && first.direction === 'desc');
}
