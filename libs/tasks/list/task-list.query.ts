import { taskColumns } from '../tasks.repository.js';
import { Parameters } from './parameters.js';
import type { Position } from './task-cursor.js';
import { filtersOf } from './task-filters.js';
import { orderOf, positionedAfter } from './task-keyset.js';
import type { TaskQuery } from './task-query.schema.js';
import { searchSql } from './task-search.query.js';

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The one statement of a page: `limit` + 1 rows after `after`, the last of which tells whether there is more. */
export function listStatement(userId: string, query: TaskQuery, after: Position | null): Statement {
  const parameters = new Parameters();
  const owner = parameters.add(userId, 'uuid');
  const limit = parameters.add(query.limit + 1, 'int');
  const isSearch = query.q !== undefined || query.tag !== undefined;
  const text = isSearch
    ? searchSql(owner, query, after, limit, parameters)
    : walkSql(owner, query, after, limit, parameters);
  return { text, values: parameters.values };
}

/** In the order of an index, from where the last page ended. */
function walkSql(
  owner: string,
  query: TaskQuery,
  after: Position | null,
  limit: string,
  parameters: Parameters,
): string {
  const conditions = [
    `user_id = ${owner}`,
    ...filtersOf(query, parameters),
    ...(after === null ? [] : [positionedAfter(query.sort, after, parameters)]),
  ];
  return `
    SELECT ${taskColumns} FROM tasks.tasks WHERE ${conditions.join(' AND ')}
    ORDER BY ${orderOf(query.sort)} LIMIT ${limit}`;
}
