import type { Parameters } from './parameters.js';
import type { PageEnd } from './task-cursor.js';
import { sortColumns, type SortKey } from './task-sort.js';

/** The id breaks ties, in the direction of the last key: then one index, read in one direction, gives the whole order. */
const lastDirection = (sort: readonly SortKey[]): SortKey['direction'] => sort.at(-1)?.direction ?? 'asc';

/** For ORDER BY. */
export function orderOf(sort: readonly SortKey[]): string {
  const keys = sort.map(({ field, direction }) => `${sortColumns[field].sql[direction]} ${direction}`);
  return [...keys, `id ${lastDirection(sort)}`].join(', ');
}

interface Bound {
  readonly sql: string;
  readonly operator: '>' | '<';
  readonly value: string;
}

/** The condition for rows after the end of the last page. */
export function afterPage(sort: readonly SortKey[], { keys, id }: PageEnd, parameters: Parameters): string {
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

/** `(a, b) > (x, y)` where all directions are the same, which an index can serve; else in full, with a bound on the first. */
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
