import type { Parameters } from './parameters.js';
import type { TaskQuery } from './task-query.schema.js';
import { sortColumns } from './task-sort.js';

/** The conditions of a query, but for whose tasks and which words and tags. */
export function filtersOf(query: TaskQuery, parameters: Parameters): string[] {
  const { status, priority, overdue } = query;
  return [
    `deleted_at IS ${query.deleted ? 'NOT NULL' : 'NULL'}`,
    ...(status === undefined ? [] : [oneOf('status', status, 'tasks.task_status', parameters)]),
    ...(priority === undefined ? [] : [oneOf('priority', priority, 'tasks.task_priority', parameters)]),
    ...dueRange(query, parameters),
    ...(overdue === undefined ? [] : [overdue ? isOverdue : `(${isOverdue}) IS NOT TRUE`]),
  ];
}

/** Put as the condition of idx_tasks_status is, which can serve it only so. */
const isOverdue = `status IN ('todo', 'in_progress') AND due_at < now()`;

/** Without it a range that is open at this end would hold what is never due. */
const isEverDue = { asc: `< 'infinity'`, desc: `> '-infinity'` } as const;

/** As the list is sorted, if by due date: then it is one range of the index that has them in order. */
function dueRange({ due_after, due_before, sort }: TaskQuery, parameters: Parameters): string[] {
  if (due_after === undefined && due_before === undefined) return [];
  const direction = sort.find(({ field }) => field === 'due_at')?.direction ?? 'asc';
  const dueAt = sortColumns.due_at.sql[direction];
  return [
    `${dueAt} ${isEverDue[direction]}`,
    ...(due_after === undefined ? [] : [`${dueAt} >= ${parameters.add(due_after, 'timestamptz')}`]),
    ...(due_before === undefined ? [] : [`${dueAt} < ${parameters.add(due_before, 'timestamptz')}`]),
  ];
}

/** A single value as an equation: then one index has the rows of that value in order. */
function oneOf(column: string, values: readonly string[], type: string, parameters: Parameters): string {
  if (values.length === 1) return `${column} = ${parameters.add(values[0], type)}`;
  return `${column} = ANY (${parameters.add(values, `${type}[]`)})`;
}
