import { featureName } from '../platform/context/feature-name.js';
import type { Priority, Status } from './task.entity.js';

/** Name of the feature and of its Postgres schema. */
export const tasks = featureName('tasks');

/** The part of a task that other features may see. */
export interface TaskFacts {
  readonly id: string;
  /** The user whose task it is. */
  readonly userId: string;
  readonly title: string;
  readonly status: Status;
  readonly priority: Priority;
  readonly dueAt: Date | null;
  /** As in the task's events. */
  readonly version: number;
}

/** What other features may ask of tasks. */
export abstract class TasksPort {
  /**
   * The task, if the user may see it; null where it is missing, somebody else's or in the trash.
   *
   * Consistency: as `Database.read`: within a call of a user at least what was acknowledged to that user before the call;
   * outside of one, such as in an event consumer, the primary's current state, which may be newer than the event.
   */
  abstract find(userId: string, taskId: string): Promise<TaskFacts | null>;
}
