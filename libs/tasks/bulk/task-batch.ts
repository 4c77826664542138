import type { EntityManager } from 'typeorm';
import { newTask, patched, trashed, view, type Task } from '../task.js';
import { TaskEntity } from '../task.entity.js';
import { TaskChanged, TaskNotFound } from '../tasks.errors.js';
import { storeChange } from '../tasks.repository.js';
import type { TaskOperation } from './bulk.schemas.js';
import type { OperationOutcome } from './operation-outcome.js';

/**
 * Applies operations to locked tasks in memory, each to the state that the one before it left, and stores the result at
 * the end. An operation that fails changes nothing, which saves a savepoint for each.
 */
export class TaskBatch {
  private readonly created: Task[] = [];
  private readonly current: Map<string, Task>;

  constructor(
    private readonly userId: string,
    private readonly locked: ReadonlyMap<string, Task>,
    private readonly now: Date,
  ) {
    this.current = new Map(locked);
  }

  /** @throws TaskNotFound, TaskChanged */
  apply(operation: TaskOperation): OperationOutcome {
    switch (operation.op) {
      case 'create': {
        const task = newTask(this.userId, operation.data, this.now);
        this.created.push(task);
        return { outcome: 'created', task: view(task) };
      }
      case 'update': {
        const task = patched(this.getLive(operation), operation.data, this.now);
        this.current.set(task.id, task);
        return { outcome: 'updated', task: view(task) };
      }
      case 'delete': {
        const task = trashed(this.getLive(operation), this.now);
        this.current.set(task.id, task);
        return { outcome: 'deleted' };
      }
    }
  }

  async store(manager: EntityManager): Promise<void> {
    if (this.created.length > 0) await manager.insert(TaskEntity, this.created);
    for (const [id, before] of this.locked) {
      await storeChange(manager, before, this.current.get(id) ?? before);
    }
  }

  private getLive({ id, if_version }: { id: string; if_version?: number | undefined }): Task {
    const task = this.current.get(id);
    if (task === undefined || task.deletedAt !== null) throw new TaskNotFound();
    if (if_version !== undefined && if_version !== task.version) throw new TaskChanged(task.version);
    return task;
  }
}
