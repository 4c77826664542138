import type { Parameters } from './parameters.js';
import type { TaskQuery } from './task-query.schema.js';
import { sortColumns } from './task-sort.js';

/** The conditions of a query, but for whose tasks and which words and tags. */
export function filtersOf(query: TaskQuery, parameters: Parameters): string[] {
  const { status, priority, due_after, due_before, overdue } = query;
  return [
    `deleted_at IS ${query.deleted ? 'NOT NULL' : 'NULL'}`,
    ...(status === undefined ? [] : [oneOf('status', status, 'tasks.task_status', parameters)]),
    ...(priority === undefined ? [] : [oneOf('priority', priority, 'tasks.task_priority', parameters)]),
    ...(due_after === undefined
      ? []
      : [
          // What is never due is after everything for the index.
          'due_at IS NOT NULL',
          `${sortColumns.due_at.sql.asc} >= ${parameters.add(due_after, 'timestamptz')}`,
        ]),
    ...(due_before === undefined
      ? []
      : [`${sortColumns.due_at.sql.asc} < ${parameters.add(due_before, 'timestamptz')}`]),
    ...(overdue === undefined ? [] : [overdue ? isOverdue : `(${isOverdue}) IS NOT TRUE`]),
  ];
}

/** Put as the condition of idx_tasks_status is, which can serve it only so. */
const isOverdue = `status IN ('todo', 'in_progress') AND due_at < now()`;

/** A single value as an equation: then one index has the rows of that value in order. */
function oneOf(column: string, values: readonly string[], type: string, parameters: Parameters): string {
  if (values.length === 1) return `${column} = ${parameters.add(values[0], type)}`;
  return `${column} = ANY (${parameters.add(values, `${type}[]`)})`;
}
