import { taskColumns } from '../tasks.repository.js';
import type { Position } from './task-cursor.js';
import type { TaskQuery } from './task-query.schema.js';
import { sortColumns, type SortKey } from './task-sort.js';

/** Ranking reads each match: this many, the newest, and no more. */
const maxRanked = 10_000;

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Values of a statement; `add` gives the placeholder of one. */
class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown, type: string): string {
    return `$${this.values.push(value)}::${type}`;
  }
}

/** The one statement of a page: `limit` + 1 rows after `after`, the last of which tells whether there is more. */
export function listStatement(userId: string, query: TaskQuery, after: Position | null): Statement {
  const parameters = new Parameters();
  const conditions = filtersOf(userId, query, parameters);
  const isRanked = query.sort.some(({ field }) => field === 'relevance');
  const source = isRanked ? rankedSource(userId, query, conditions, after, parameters) : 'tasks.tasks';
  const where = [
    ...(isRanked ? [] : conditions),
    ...(after === null ? [] : [positionedAfter(query.sort, after, parameters)]),
  ];
  const text = `
    SELECT ${taskColumns}${isRanked ? ', rank, newest' : ''} FROM ${source}
    ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`}
    ORDER BY ${orderOf(query.sort)} LIMIT ${parameters.add(query.limit + 1, 'int')}`;
  return { text, values: parameters.values };
}

function filtersOf(userId: string, query: TaskQuery, parameters: Parameters): string[] {
  const { status, priority, tag, due_after, due_before, overdue, q } = query;
  const owner = parameters.add(userId, 'uuid');
  return [
    `user_id = ${owner}`,
    `deleted_at IS ${query.deleted ? 'NOT NULL' : 'NULL'}`,
    ...(status === undefined ? [] : [oneOf('status', status, 'tasks.task_status', parameters)]),
    ...(priority === undefined ? [] : [oneOf('priority', priority, 'tasks.task_priority', parameters)]),
    ...(tag === undefined ? [] : [`search @@ tasks.tags_query(${owner}, ${parameters.add(tag, 'text[]')})`]),
    // The second is for the index, which knows no null.
    ...(due_after === undefined
      ? []
      : [
          `due_at >= ${parameters.add(due_after, 'timestamptz')}`,
          `${sortColumns.due_at.sql.asc} >= ${parameters.add(due_after, 'timestamptz')}`,
        ]),
    ...(due_before === undefined
      ? []
      : [`${sortColumns.due_at.sql.asc} < ${parameters.add(due_before, 'timestamptz')}`]),
    ...(overdue === undefined ? [] : [overdue ? isOverdue : `(${isOverdue}) IS NOT TRUE`]),
    ...(q === undefined ? [] : matches(searchQuery(owner, parameters.add(q, 'text')))),
  ];
}

/** Put as the condition of idx_tasks_status is, which can serve it only so. */
const isOverdue = `status IN ('todo', 'in_progress') AND due_at < now()`;

/** A single value as an equation: then one index has the rows of that value in order. */
function oneOf(column: string, values: readonly string[], type: string, parameters: Parameters): string {
  if (values.length === 1) return `${column} = ${parameters.add(values[0], type)}`;
  return `${column} = ANY (${parameters.add(values, `${type}[]`)})`;
}

const searchQuery = (owner: string, q: string): string => `tasks.search_query(${owner}, ${q})`;

/** `querytree` is what an index can look for: nothing ('') or everything ('T') where there is no word to find. */
const matches = (query: string): string[] => [`search @@ ${query}`, `querytree(${query}) NOT IN ('', 'T')`];

/** The newest matches with their rank; after the first page none that came since, or the 10,000 would be others. */
function rankedSource(
  userId: string,
  query: TaskQuery,
  conditions: readonly string[],
  after: Position | null,
  parameters: Parameters,
): string {
  const search = searchQuery(parameters.add(userId, 'uuid'), parameters.add(query.q, 'text'));
  const frozen =
    after === null ? [] : [`created_at <= ${parameters.add(after.newest ?? 'infinity', 'timestamptz')}`];
  return `(
    SELECT ${taskColumns}, ts_rank_cd(search, ${search})::float8 AS rank, max(created_at) OVER () AS newest
    FROM (
      SELECT ${taskColumns}, search FROM tasks.tasks WHERE ${[...conditions, ...frozen].join(' AND ')}
      ORDER BY created_at DESC, id DESC LIMIT ${maxRanked}
    ) AS candidates
  ) AS ranked`;
}

/** Ties are broken by the id, in the direction of the last key: so one index read one way gives a whole order. */
const lastDirection = (sort: readonly SortKey[]): SortKey['direction'] => sort.at(-1)?.direction ?? 'asc';

function orderOf(sort: readonly SortKey[]): string {
  const keys = sort.map(({ field, direction }) => `${sortColumns[field].sql[direction]} ${direction}`);
  return [...keys, `id ${lastDirection(sort)}`].join(', ');
}

interface Bound {
  readonly sql: string;
  readonly operator: '>' | '<';
  readonly value: string;
}

function positionedAfter(sort: readonly SortKey[], { keys, id }: Position, parameters: Parameters): string {
  const bounds = sort.map(({ field, direction }, n): Bound => {
    const { sql, type } = sortColumns[field];
    const last = direction === 'asc' ? 'infinity' : '-infinity';
    return {
      sql: sql[direction],
      operator: operatorOf(direction),
      value: parameters.add(keys[n] ?? last, type),
    };
  });
  const operator = operatorOf(lastDirection(sort));
  return afterAll([...bounds, { sql: 'id', operator, value: parameters.add(id, 'uuid') }]);
}

const operatorOf = (direction: SortKey['direction']): Bound['operator'] => (direction === 'asc' ? '>' : '<');

/** `(a, b) > (x, y)` where all directions are one, which an index understands; else spelled out, with a bound on the first. */
function afterAll([first, ...rest]: readonly Bound[]): string {
  if (first === undefined) return 'true';
  const all = [first, ...rest];
  if (rest.every(({ operator }) => operator === first.operator)) {
    const [columns, values] = [all.map(({ sql }) => sql), all.map(({ value }) => value)];
    return `(${columns.join(', ')}) ${first.operator} (${values.join(', ')})`;
  }
  const { sql, operator, value } = first;
  return `(${sql} ${operator}= ${value} AND (${sql} ${operator} ${value} OR ${afterAll(rest)}))`;
}
