import { In, type EntityManager } from 'typeorm';
import { differences, type Task } from './task.js';
import { TaskEntity } from './task.entity.js';
import type { TaskView } from './tasks.schemas.js';

/** A member of `TaskView` that is missing here does not compile. */
const columns: Readonly<Record<keyof TaskView, true>> = {
  id: true,
  title: true,
  description: true,
  status: true,
  priority: true,
  due_at: true,
  tags: true,
  completed_at: true,
  created_at: true,
  updated_at: true,
  version: true,
};

/** The columns of an answer, by the names that they have there: a row needs no mapping. */
export const taskColumns = Object.keys(columns).join(', ');

/**
 * Locks those of the tasks that are the user's, live or in the trash, until the transaction ends. In the order of their
 * ids, so that two calls that lock several wait for each other instead of deadlocking.
 */
export async function lockTasks(
  manager: EntityManager,
  userId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Task>> {
  if (ids.length === 0) return new Map();
  const found = await manager.find(TaskEntity, {
    where: { id: In([...ids]), userId },
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_write' },
  });
  return new Map(found.map((task) => [task.id, task]));
}

/** Writes only the columns that differ: the search vector is not computed again for a change of status. */
export async function storeChange(manager: EntityManager, before: Task, after: Task): Promise<void> {
  const changed = differences(before, after);
  if (Object.keys(changed).length > 0) await manager.update(TaskEntity, { id: before.id }, changed);
}
