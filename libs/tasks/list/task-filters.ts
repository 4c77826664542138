import type { Status } from '../task.entity.js';
import type { Parameters } from './parameters.js';
import type { TaskQuery } from './task-query.schema.js';
import { sortColumns, type SortKey } from './task-sort.js';

/** Keys of a query that do not change which tasks the list has. */
type NonFilter = 'sort' | 'limit' | 'cursor';
type FilterKey = Exclude<keyof TaskQuery, NonFilter>;

/** What the conditions of a statement are made of. */
export interface FilterContext {
  /** Placeholder of the user's id. */
  readonly owner: string;
  /** The condition that a task has the words of the query; null where that has none. */
  readonly words: string | null;
  /** Whether idx_tasks_search finds the tags; else they are compared in each row, which is quicker for few rows. */
  readonly tagsByIndex: boolean;
  readonly parameters: Parameters;
}

type Filter = (query: TaskQuery, context: FilterContext) => readonly string[];

/**
 * The conditions that each key of a query adds. A key that is neither here nor a `NonFilter` does not compile.
 */
const filters: Readonly<Record<FilterKey, Filter>> = {
  q: ({ q }, { words }) => (q === undefined ? [] : [words ?? 'false']),
  tag: ({ tag }, context) => (tag === undefined ? [] : [taggedWith(tag, context)]),
  deleted: ({ deleted }) => [`deleted_at IS ${deleted ? 'NOT NULL' : 'NULL'}`],
  status: ({ status }, { parameters }) => oneOf('status', status, 'tasks.task_status', parameters),
  priority: ({ priority }, { parameters }) => oneOf('priority', priority, 'tasks.task_priority', parameters),
  due_after: ({ due_after, sort }, { parameters }) => dueAt(sort, '>=', due_after, parameters),
  due_before: ({ due_before, sort }, { parameters }) => dueAt(sort, '<', due_before, parameters),
  overdue: ({ overdue }) =>
    overdue === undefined ? [] : [overdue ? isOverdue : `(${isOverdue}) IS NOT TRUE`],
};

/** The conditions of a query, except for whose tasks. One that two filters share stands once. */
export function filtersOf(query: TaskQuery, context: FilterContext): string[] {
  return [...new Set(Object.values(filters).flatMap((filter) => filter(query, context)))];
}

export function taggedWith(
  tags: readonly string[],
  { owner, parameters, tagsByIndex }: Omit<FilterContext, 'words'>,
): string {
  const given = parameters.add(tags, 'text[]');
  return tagsByIndex ? `search @@ tasks.tags_query(${owner}, ${given})` : `tags @> ${given}`;
}

export const openStatuses = ['todo', 'in_progress'] as const satisfies readonly Status[];
const isOverdue = `status IN ('${openStatuses.join("', '")}') AND due_at < now()`;

/** Without it a range that is open at this end would hold the tasks that are never due. */
const isEverDue = { asc: `< 'infinity'`, desc: `> '-infinity'` } as const;

/** By the expression that the list is sorted by, if by due date: then the range is one range of that index. */
export function dueAt(
  sort: readonly SortKey[],
  operator: '>=' | '<',
  time: Date | undefined,
  parameters: Parameters,
): string[] {
  if (time === undefined) return [];
  const direction = sort.find(({ field }) => field === 'due_at')?.direction ?? 'asc';
  const column = sortColumns.due_at.sql[direction];
  return [
    `${column} ${isEverDue[direction]}`,
    `${column} ${operator} ${parameters.add(time, 'timestamptz')}`,
  ];
}

/** A single value as an equation: then one index has the rows of that value in order. */
function oneOf(
  column: string,
  values: readonly string[] | undefined,
  type: string,
  parameters: Parameters,
): string[] {
  if (values === undefined) return [];
  if (values.length === 1) return [`${column} = ${parameters.add(values[0], type)}`];
  return [`${column} = ANY (${parameters.add(values, `${type}[]`)})`];
}
