import { uuidv7 } from '../platform/ids/uuid.js';
import type { TaskEntity } from './task.entity.js';
import { taskDefaults, type NewTask, type TaskPatch, type TaskView } from './tasks.schemas.js';

/**
 * A task as a plain value. The rules of its life are functions from one state to the next; none changes what it is
 * given.
 */
export type Task = Readonly<Pick<TaskEntity, keyof TaskEntity>>;

export function newTask(userId: string, { due_at, ...data }: NewTask, now: Date): Task {
  return {
    id: uuidv7(),
    userId,
    ...data,
    dueAt: due_at,
    completedAt: data.status === 'done' ? now : null,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
    version: 1,
  };
}

/** The task after a merge patch; the very same object where the patch says nothing new. */
export function patched(task: Task, patch: TaskPatch, now: Date): Task {
  const next = { ...task, ...fieldsOf(patch) };
  if (Object.keys(differences(task, next)).length === 0) return task;
  if (next.status === task.status) return asNextVersion(next, now);
  return asNextVersion({ ...next, completedAt: next.status === 'done' ? now : null }, now);
}

/** In the trash; no version of its own, so that the ETag from before restores it. */
export const trashed = (task: Task, now: Date): Task => ({ ...task, deletedAt: now });

export const restored = (task: Task, now: Date): Task => asNextVersion({ ...task, deletedAt: null }, now);

/** The columns in which the states differ, with their values in the second. */
export function differences(before: Task, after: Task): Partial<Task> {
  const changed = Object.entries(after).filter(
    ([column, value]) => !isSame(before[column as keyof Task], value),
  );
  return Object.fromEntries(changed);
}

export function view(task: Task): TaskView {
  return {
    id: task.id,
    title: task.title,
    description: task.description,
    status: task.status,
    priority: task.priority,
    due_at: task.dueAt,
    tags: task.tags,
    completed_at: task.completedAt,
    created_at: task.createdAt,
    updated_at: task.updatedAt,
    version: task.version,
  };
}

/** The clocks of two processes differ: a later version never looks older. */
function asNextVersion(task: Task, now: Date): Task {
  return { ...task, version: task.version + 1, updatedAt: now > task.updatedAt ? now : task.updatedAt };
}

function fieldsOf({ due_at, tags, ...patch }: TaskPatch): Partial<Task> {
  return {
    ...(patch.title !== undefined && { title: patch.title }),
    ...(patch.description !== undefined && { description: patch.description ?? taskDefaults.description }),
    ...(patch.status !== undefined && { status: patch.status ?? taskDefaults.status }),
    ...(patch.priority !== undefined && { priority: patch.priority ?? taskDefaults.priority }),
    ...(due_at !== undefined && { dueAt: due_at }),
    ...(tags !== undefined && { tags: tags ?? [] }),
  };
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, n) => x === b[n]);
  return a === b;
}
