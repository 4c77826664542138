import { uuidv7 } from '../platform/ids/uuid.js';
import type { TaskEntity } from './task.entity.js';
import { taskDefaults, type NewTask, type TaskPatch, type TaskView } from './tasks.schemas.js';

/** A task as a plain value. Functions return its next state; none changes what it is given. */
export type Task = Readonly<Omit<TaskEntity, 'search' | 'searchVersion' | 'searchTurn'>>;

/** A task that is not stored yet: the database says when it was created. */
export type TaskDraft = Omit<Task, 'createdAt' | 'updatedAt' | 'completedAt'>;

export function newTask(userId: string, data: NewTask): TaskDraft {
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
    deletedAt: null,
    version: 1,
  };
}

/** A field of `NewTask` that `newTask` does not use does not compile here. */
const nothing = (unused: Readonly<Record<string, never>>) => unused;

/** The draft with its times, each of which is `now`: a time, or the SQL that gives one. */
export const created = <T>(draft: TaskDraft, now: T) => ({
  ...draft,
  completedAt: draft.status === 'done' ? now : null,
  createdAt: now,
  updatedAt: now,
});

/** The task after a merge patch; the very same object where the patch says nothing new. */
export function patched<T extends Task>(task: T, patch: TaskPatch, now: Date): T {
  const next = { ...task, ...changesOf(patch) };
  if (Object.keys(differences(task, next)).length === 0) return task;
  const updatedAt = notBefore(task, now);
  const version = task.version + 1;
  if (next.status === task.status) return { ...next, updatedAt, version };
  return { ...next, updatedAt, version, completedAt: next.status === 'done' ? updatedAt : null };
}

/** In the trash. The version stays, so that the ETag from before restores the task. */
export const trashed = <T extends Task>(task: T, now: Date): T => ({
  ...task,
  deletedAt: notBefore(task, now),
});

export const restored = <T extends Task>(task: T, now: Date): T => ({
  ...task,
  deletedAt: null,
  updatedAt: notBefore(task, now),
  version: task.version + 1,
});

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

/** The database's clock may go back, as to that of a new primary, but no change looks older than one before it. */
function notBefore({ createdAt, updatedAt, completedAt, deletedAt }: Task, now: Date): Date {
  const times = [createdAt, updatedAt, completedAt, deletedAt];
  return times.reduce<Date>((latest, time) => (time !== null && time > latest ? time : latest), now);
}

/** What a patch changes. A field of `TaskPatch` that is missing here does not compile. */
export function changesOf(patch: TaskPatch): Partial<Task> {
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
