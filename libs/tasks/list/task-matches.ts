import type { PageRequest } from './page-request.js';
import { dueAt, openStatuses } from './task-filters.js';
import type { TaskQuery } from './task-query.schema.js';
import { orderOf } from './task-keyset.js';
import type { SortKey } from './task-sort.js';

/** SQL that selects `columns` of the matches that an index finds, at most as many as the SQL expression `max` says. */
export type MatchesSql = (columns: string, max: string) => string;

/**
 * The user's live tasks that pass the filters by status, priority and due date, as an index finds them: without reading
 * other tasks, in no particular order. Null where the query has no such filter, or where the order of the list is that
 * of the index, so that there is nothing to find first. The other filters of the query are not applied.
 */
export function indexedMatches(request: PageRequest): MatchesSql | null {
  const { query } = request;
  if (query.deleted || query.q !== undefined || isInOrder(query)) return null;
  if (query.status !== undefined || query.priority !== undefined || query.overdue === true) {
    return byStatus(request);
  }
  return query.due_after === undefined && query.due_before === undefined ? null : byDueDate(request);
}

/** Whether one range of an index has the list: the filter is by the sort key, or by one status in the default order. */
function isInOrder({ status, priority, due_after, due_before, overdue, tag, sort }: TaskQuery): boolean {
  const [first, ...others] = sort;
  if (first === undefined || others.length > 0 || overdue !== undefined || tag !== undefined) return false;
  const isDue = due_after !== undefined || due_before !== undefined;
  if (first.field === 'due_at') return status === undefined && priority === undefined;
  if (first.field === 'priority') return priority?.length === 1 && status === undefined && !isDue;
  return first.field === 'created_at' && status?.length === 1 && priority === undefined && !isDue;
}

/**
 * Each combination of a status and a priority is a range of idx_tasks_status, by due date. They are looked up one by one,
 * up to 20: as one condition the planner takes it for a filter of another index where it expects few tasks of a user.
 */
function byStatus({ query, owner, parameters }: PageRequest): MatchesSql {
  const { due_after, due_before } = query;
  const isDue = [
    ...(due_after === undefined ? [] : [`due_at >= ${parameters.add(due_after, 'timestamptz')}`]),
    ...(due_before === undefined ? [] : [`due_at < ${parameters.add(due_before, 'timestamptz')}`]),
    ...(query.overdue === true ? ['due_at < now()'] : []),
  ];
  const valuesOf = (values: readonly string[] | undefined, type: string): string =>
    values === undefined ? `enum_range(NULL::${type})` : parameters.add(values, `${type}[]`);
  const conditions = [
    `user_id = ${owner} AND deleted_at IS NULL`,
    'status = chosen_status AND priority = chosen_priority',
    ...isDue,
  ];
  const chosen = `
    unnest(${valuesOf(statusesOf(query), 'tasks.task_status')}) AS chosen_status
    CROSS JOIN unnest(${valuesOf(query.priority, 'tasks.task_priority')}) AS chosen_priority`;
  return (columns, max) => `
    SELECT matching.* FROM ${chosen} CROSS JOIN LATERAL (
      SELECT ${columns} FROM tasks.tasks WHERE ${conditions.join(' AND ')} ORDER BY due_at LIMIT ${max}
    ) AS matching LIMIT ${max}`;
}

function statusesOf({ status, overdue }: TaskQuery): readonly string[] | undefined {
  if (overdue !== true) return status;
  return openStatuses.filter((open) => status === undefined || status.includes(open));
}

const byDue: readonly SortKey[] = [{ field: 'due_at', direction: 'asc' }];

/** A range of idx_tasks_due_at_asc; its order makes the planner take this index. */
function byDueDate({ query, owner, parameters }: PageRequest): MatchesSql {
  const conditions = [
    `user_id = ${owner} AND deleted_at IS NULL`,
    ...dueAt(byDue, '>=', query.due_after, parameters),
    ...dueAt(byDue, '<', query.due_before, parameters),
  ];
  return (columns, max) =>
    `SELECT ${columns} FROM tasks.tasks WHERE ${conditions.join(' AND ')} ORDER BY ${orderOf(byDue)} LIMIT ${max}`;
}
