import type { EntityManager } from 'typeorm';
import { created, newTask, patched, trashed, view, type TaskDraft } from '../task.js';
import type { TaskEvents } from '../task-events.js';
import { TaskChanged, TaskNotFound } from '../tasks.errors.js';
import { insertTasks, storeChange, type LockedTask } from '../tasks.repository.js';
import type { TaskOperation } from './bulk.schemas.js';
import type { OperationOutcome } from './operation-outcome.js';

/** What came of an operation. To be asked when the batch is stored: before that nobody knows when a task was created. */
export type PendingOutcome = () => OperationOutcome;

/**
 * Applies operations to locked tasks in memory, each to the state that the one before it left, and stores the result at
 * the end. An operation that fails changes nothing, which saves a savepoint for each.
 */
export class TaskBatch {
  private readonly drafts: TaskDraft[] = [];
  private readonly current: Map<string, LockedTask>;
  /** Not a valid date until the batch is stored. */
  private createdAt = new Date(NaN);

  constructor(
    private readonly userId: string,
    private readonly locked: ReadonlyMap<string, LockedTask>,
  ) {
    this.current = new Map(locked);
  }

  /** @throws TaskNotFound, TaskChanged */
  apply(operation: TaskOperation): PendingOutcome {
    switch (operation.op) {
      case 'create': {
        const draft = newTask(this.userId, operation.data);
        this.drafts.push(draft);
        return () => ({ outcome: 'created', task: view(created(draft, this.createdAt)) });
      }
      case 'update': {
        const before = this.getLive(operation);
        const task = patched(before, operation.data, before.lockedAt);
        this.current.set(task.id, task);
        return () => ({ outcome: 'updated', task: view(task) });
      }
      case 'delete': {
        const before = this.getLive(operation);
        this.current.set(before.id, trashed(before, before.lockedAt));
        return () => ({ outcome: 'deleted' });
      }
    }
  }

  async store(manager: EntityManager, events: TaskEvents): Promise<void> {
    if (this.drafts.length > 0) this.createdAt = await insertTasks(manager, this.drafts);
    const changes = [...this.locked].map(([id, before]) => ({
      before,
      after: this.current.get(id) ?? before,
    }));
    for (const { before, after } of changes) await storeChange(manager, before, after);
    await events.created(manager, this.drafts);
    await events.changed(manager, changes);
  }

  private getLive({ id, if_version }: { id: string; if_version?: number | undefined }): LockedTask {
    const task = this.current.get(id);
    if (task === undefined || task.deletedAt !== null) throw new TaskNotFound();
    if (if_version !== undefined && if_version !== task.version)
      throw new TaskChanged(task.version, this.locked.get(id)?.version ?? task.version);
    return task;
  }
}
