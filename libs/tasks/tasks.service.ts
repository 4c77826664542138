import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../platform/database/database.js';
import { requireMatch, versionEtag } from '../platform/http/etag.js';
import { Idempotency, type IdempotentCall } from '../platform/database/idempotency.js';
import { Reply } from '../platform/http/reply.js';
import { uuid } from '../platform/schemas/fields.js';
import { newTask, patched, restored, trashed, view, type Task } from './task.js';
import { TaskEntity } from './task.entity.js';
import { TaskNotDeleted, TaskNotFound } from './tasks.errors.js';
import { lockTasks, storeChange, taskColumns } from './tasks.repository.js';
import { taskSchema, type NewTask, type TaskPatch, type TaskView } from './tasks.schemas.js';

/**
 * One task at a time. All of it throws TaskNotFound where the task is not the user's or, but for `restore`, in the
 * trash; what takes `ifMatch` throws PreconditionFailed where that does not name the current version, which is then
 * locked, so of several calls that name one version one goes through. Reads: as `Database.read`.
 */
@Injectable()
export class TasksService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  create(call: IdempotentCall | null, userId: string, data: NewTask): Promise<Reply> {
    return this.idempotency.run(call, taskSchema, async (manager) => {
      const task = newTask(userId, data, new Date());
      await manager.insert(TaskEntity, task);
      const headers = { location: `/v1/tasks/${task.id}`, etag: versionEtag(task.version) };
      return new Reply(view(task), { status: 201, headers });
    });
  }

  async get(userId: string, id: string): Promise<TaskView> {
    requireId(id);
    const [task] = await this.database.read((manager) =>
      manager.query<TaskView[]>(
        `SELECT ${taskColumns} FROM tasks.tasks WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL`,
        [id, userId],
      ),
    );
    if (task === undefined) throw new TaskNotFound();
    return task;
  }

  patch(userId: string, id: string, patch: TaskPatch, ifMatch: string | undefined): Promise<TaskView> {
    return this.database.write(async (manager) => {
      const task = await getLocked(manager, userId, id);
      if (task.deletedAt !== null) throw new TaskNotFound();
      requireMatch(ifMatch, versionEtag(task.version));
      const next = patched(task, patch, new Date());
      await storeChange(manager, task, next);
      return view(next);
    });
  }

  /** Puts the task into the trash, from where `restore` gets it back for 30 days. */
  delete(userId: string, id: string, ifMatch: string | undefined): Promise<void> {
    return this.database.write(async (manager) => {
      const task = await getLocked(manager, userId, id);
      if (task.deletedAt !== null) throw new TaskNotFound();
      requireMatch(ifMatch, versionEtag(task.version));
      await storeChange(manager, task, trashed(task, new Date()));
    });
  }

  /** @throws TaskNotDeleted where the task is not in the trash */
  restore(
    call: IdempotentCall | null,
    userId: string,
    id: string,
    ifMatch: string | undefined,
  ): Promise<Reply> {
    return this.idempotency.run(call, taskSchema, async (manager) => {
      const task = await getLocked(manager, userId, id);
      if (task.deletedAt === null) throw new TaskNotDeleted();
      requireMatch(ifMatch, versionEtag(task.version));
      const next = restored(task, new Date());
      await storeChange(manager, task, next);
      return new Reply(view(next), { status: 200, headers: { etag: versionEtag(next.version) } });
    });
  }
}

async function getLocked(manager: EntityManager, userId: string, id: string): Promise<Task> {
  requireId(id);
  const task = (await lockTasks(manager, userId, [id.toLowerCase()])).get(id.toLowerCase());
  if (task === undefined) throw new TaskNotFound();
  return task;
}

function requireId(id: string): void {
  if (!uuid().safeParse(id).success) throw new TaskNotFound();
}
