import { In, type EntityManager } from 'typeorm';
import { currentTime, statementTime } from '../platform/database/stored-times.js';
import { json, jsonObject } from '../platform/postgres/json-sql.js';
import { created, differences, type Task, type TaskDraft } from './task.js';
import { TaskEntity } from './task.entity.js';
import type { TaskView } from './tasks.schemas.js';

/** A member of `TaskView` that is missing here does not compile. */
const members: Readonly<Record<keyof TaskView, string>> = {
  id: json.plain('id'),
  title: json.value('title'),
  description: json.value('description'),
  status: json.plain('status'),
  priority: json.plain('priority'),
  due_at: json.timeOrNull('due_at'),
  tags: json.value('tags'),
  completed_at: json.timeOrNull('completed_at'),
  created_at: json.time('created_at'),
  updated_at: json.time('updated_at'),
  version: json.number('version'),
};

/** The columns of an answer, by the names that they have there: a row needs no mapping. */
export const taskColumns = Object.keys(members).join(', ');

/** A task as the JSON of an answer, byte for byte as `taskSchema` gives it. */
export const taskJson = jsonObject(members);

/** A task that no other transaction changes before this one ends. */
export interface LockedTask extends Task {
  /** When the first task of the call was locked, by the database's clock. */
  readonly lockedAt: Date;
}

/**
 * Locks those of the tasks that are the user's, live or in the trash, until the transaction ends. In the order of their
 * ids, so that two calls that lock several wait for each other instead of deadlocking.
 */
export async function lockTasks(
  manager: EntityManager,
  userId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedTask>> {
  if (ids.length === 0) return new Map();
  const { entities, raw } = await manager
    .createQueryBuilder(TaskEntity, 'task')
    .addSelect(currentTime, 'locked_at')
    .where({ id: In([...ids]), userId })
    .orderBy('task.id')
    .setLock('pessimistic_write')
    .getRawAndEntities<{ locked_at: Date }>();
  const [first] = raw;
  if (first === undefined) return new Map();
  return new Map(entities.map((task) => [task.id, Object.assign(task, { lockedAt: first.locked_at })]));
}

/** Inserts the tasks, of which there is at least one. Returns when they were created, by the database's clock. */
export async function insertTasks(manager: EntityManager, drafts: readonly TaskDraft[]): Promise<Date> {
  const result = await manager
    .createQueryBuilder()
    .insert()
    .into(TaskEntity)
    .values(drafts.map((draft) => created(draft, () => statementTime)))
    .returning('created_at')
    .updateEntity(false)
    .execute();
  const [row] = result.raw as readonly { readonly created_at: Date }[];
  if (row === undefined) throw new Error('An INSERT that returned no row');
  return row.created_at;
}

/** Writes only the columns that differ: the search vector is not computed again for a change of status. */
export async function storeChange(manager: EntityManager, before: Task, after: Task): Promise<void> {
  const changed = differences(before, after);
  if (Object.keys(changed).length > 0) await manager.update(TaskEntity, { id: before.id }, changed);
}

/** Inserts a task for each row of `allowed`, which has the `insertColumns`. */
export const insertSql = `effect AS (
  INSERT INTO tasks.tasks
    (id, user_id, title, description, status, priority, due_at, tags, version, completed_at, created_at, updated_at)
  SELECT id, user_id, title, description, status, priority, due_at, tags, version,
    CASE WHEN status = 'done' THEN ${statementTime} END, ${statementTime}, ${statementTime}
  FROM allowed
  RETURNING id, user_id, version, ${taskJson} AS json)`;

export const insertColumns = `id uuid, user_id uuid, title text, description text, status tasks.task_status,
  priority tasks.task_priority, due_at timestamptz, tags text[], version int`;

export const insertValues = (task: TaskDraft) => ({
  id: task.id,
  user_id: task.userId,
  title: task.title,
  description: task.description,
  status: task.status,
  priority: task.priority,
  due_at: task.dueAt,
  tags: task.tags,
  version: task.version,
});
