import { uuidv7 } from '../platform/ids/uuid.js';
import type { TaskEntity } from './task.entity.js';
import { taskDefaults, type NewTask, type TaskPatch, type TaskView } from './tasks.schemas.js';

/** A task as a plain value. Functions return its next state; none changes what it is given. */
export type Task = Readonly<Pick<TaskEntity, keyof TaskEntity>>;

export function newTask(userId: string, data: NewTask, now: Date): Task {
  const { title, description, status, priority, due_at, tags, ...unused } = data;
  return {
    ...nothing(unused),
    id: uuidv7(),
    userId,
    title,
    description,
    status,
    priority,
    dueAt: due_at,
    tags,
    completedAt: status === 'done' ? now : null,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
    version: 1,
  };
}

/** A field of `NewTask` that `newTask` does not use does not compile here. */
const nothing = (unused: Readonly<Record<string, never>>) => unused;

/** The task after a merge patch; the very same object where the patch says nothing new. */
export function patched(task: Task, patch: TaskPatch, now: Date): Task {
  const next = { ...task, ...changesOf(patch) };
  if (Object.keys(differences(task, next)).length === 0) return task;
  if (next.status === task.status) return asNextVersion(next, now);
  return asNextVersion({ ...next, completedAt: next.status === 'done' ? now : null }, now);
}

/** In the trash. The version stays, so that the ETag from before restores the task. */
export const trashed = (task: Task, now: Date): Task => ({ ...task, deletedAt: now });

export const restored = (task: Task, now: Date): Task => asNextVersion({ ...task, deletedAt: null }, now);

/** The properties in which the states differ, with their values in the second. */
export function differences(before: Task, after: Task): Partial<Task> {
  const changed = Object.entries(after).filter(
    ([property, value]) => !isSame(before[property as keyof Task], value),
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

/** The clocks of two processes differ, but a later version never looks older. */
function asNextVersion(task: Task, now: Date): Task {
  return { ...task, version: task.version + 1, updatedAt: now > task.updatedAt ? now : task.updatedAt };
}

/** What a patch changes. A field of `TaskPatch` that is missing here does not compile. */
function changesOf(patch: TaskPatch): Partial<Task> {
  const { title, description, status, priority, due_at, tags } = patch;
  const changes: Readonly<Record<keyof TaskPatch, Partial<Task>>> = {
    title: title === undefined ? {} : { title },
    description: description === undefined ? {} : { description: description ?? taskDefaults.description },
    status: status === undefined ? {} : { status: status ?? taskDefaults.status },
    priority: priority === undefined ? {} : { priority: priority ?? taskDefaults.priority },
    due_at: due_at === undefined ? {} : { dueAt: due_at },
    tags: tags === undefined ? {} : { tags: tags ?? [...taskDefaults.tags] },
  };
  return Object.values(changes).reduce((all, change) => ({ ...all, ...change }), {});
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, n) => x === b[n]);
  return a === b;
}
