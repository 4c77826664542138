import { taskColumns } from '../tasks.repository.js';
import type { PageRequest } from './page-request.js';
import { Parameters } from './parameters.js';
import type { PageEnd } from './task-cursor.js';
import { filtersOf } from './task-filters.js';
import { afterPage, orderOf } from './task-keyset.js';
import type { TaskQuery } from './task-query.schema.js';
import { searchSql } from './task-search.query.js';

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The statement of a page: `limit` + 1 rows after `after`. The last one tells whether there are more. */
export function listStatement(userId: string, query: TaskQuery, after: PageEnd | null): Statement {
  const parameters = new Parameters();
  const owner = parameters.add(userId, 'uuid');
  const limit = parameters.add(query.limit + 1, 'int');
  const page = { query, after, owner, limit, parameters };
  const isSearch = query.q !== undefined || query.tag !== undefined;
  return { text: isSearch ? searchSql(page) : walkSql(page), values: parameters.values };
}

/** Reads an index in its order, from where the last page ended. */
function walkSql({ query, after, owner, limit, parameters }: PageRequest): string {
  const conditions = [
    `user_id = ${owner}`,
    ...filtersOf(query, { owner, words: null, parameters }),
    ...(after === null ? [] : [afterPage(query.sort, after, parameters)]),
  ];
  return `
    SELECT ${taskColumns} FROM tasks.tasks WHERE ${conditions.join(' AND ')}
    ORDER BY ${orderOf(query.sort)} LIMIT ${limit}`;
}
