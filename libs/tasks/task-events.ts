import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Outbox, type EventPart } from '../platform/events/outbox.js';
import type { Task } from './task.js';
import { taskCreated, taskDeleted, taskPurged, taskRestored, taskUpdated } from './tasks.events.js';

/** A task that a statement deleted: `RETURNING id, user_id, version`. */
export interface PurgedTask {
  readonly id: string;
  readonly user_id: string;
  readonly version: number;
}

/** What an event tells of a task. */
type ChangedTask = Pick<Task, 'id' | 'userId' | 'version'>;

/** A task before and after a transaction. */
export interface TaskChange {
  readonly before: Task;
  readonly after: Task;
}

/** Publishes changes of tasks in their own transactions. Costs nothing where no feature consumes them. */
@Injectable()
export class TaskEvents {
  constructor(private readonly outbox: Outbox) {}

  async created(manager: EntityManager, tasks: readonly ChangedTask[]): Promise<void> {
    await this.outbox.appendEach(manager, taskCreated, tasks, payloadOf);
  }

  /** The part of a statement whose `effect` has created tasks; null where nobody consumes that. See `Outbox.statementPart`. */
  createdPart(): EventPart | null {
    return this.outbox.statementPart(taskCreated, payloadSql);
  }

  /** The same for a statement whose `effect` has changed tasks. */
  updatedPart(): EventPart | null {
    return this.outbox.statementPart(taskUpdated, payloadSql);
  }

  appended(): void {
    this.outbox.appended();
  }

  /** One that is the very same before and after did not change. */
  async changed(manager: EntityManager, changes: readonly TaskChange[]): Promise<void> {
    await this.outbox.appendEach(manager, taskUpdated, changes, payloadIf(isUpdated));
    await this.outbox.appendEach(manager, taskDeleted, changes, payloadIf(isDeleted));
    await this.outbox.appendEach(manager, taskRestored, changes, payloadIf(isRestored));
  }
}

export const publishPurged = (
  outbox: Outbox,
  manager: EntityManager,
  tasks: readonly PurgedTask[],
): Promise<void> =>
  outbox.appendEach(manager, taskPurged, tasks, ({ id, user_id, version }) => ({
    task_id: id,
    user_id,
    version,
  }));

const payloadOf = ({ id, userId, version }: ChangedTask) => ({ task_id: id, user_id: userId, version });

/** `payloadOf` of a row of `effect`. */
const payloadSql = `jsonb_build_object('task_id', id, 'user_id', effect.user_id, 'version', effect.version)`;

const payloadIf = (isEvent: (change: TaskChange) => boolean) => (change: TaskChange) =>
  isEvent(change) ? payloadOf(change.after) : null;

const isRestored = ({ before, after }: TaskChange) => before.deletedAt !== null && after.deletedAt === null;
const isDeleted = ({ before, after }: TaskChange) => before.deletedAt === null && after.deletedAt !== null;
/** Restoring is a new version, too. */
const isUpdated = (change: TaskChange) =>
  change.before.version !== change.after.version && !isRestored(change);
