import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../platform/database/database.js';
import { Idempotency, type IdempotentCall, type Outcome } from '../platform/database/idempotency.js';
import { requireVersion, VersionMismatch, type VersionCondition } from '../platform/errors/common-errors.js';
import { quick } from '../platform/postgres/statement.js';
import { uuid } from '../platform/schemas/fields.js';
import { newTask, restored, trashed, view, type Task } from './task.js';
import { TaskEvents } from './task-events.js';
import { patchWrite } from './task-patch.query.js';
import { TaskNotDeleted, TaskNotFound } from './tasks.errors.js';
import {
  insertColumns,
  insertSql,
  insertValues,
  lockTasks,
  storeChange,
  taskJson,
  type LockedTask,
} from './tasks.repository.js';
import { taskSchema, type NewTask, type TaskPatch, type TaskView } from './tasks.schemas.js';

const taskById = quick(
  `SELECT ${taskJson}, version FROM tasks.tasks WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL`,
);

/**
 * One task at a time. Every method with an id throws TaskNotFound where the task is not the user's or, except for
 * `restore`, is in the trash. Methods with `expected` throw VersionMismatch where the current version is not what that asks
 * for. They lock the task, so of several calls that expect one version one succeeds. Reads: as `Database.read`.
 */
@Injectable()
export class TasksService {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly events: TaskEvents,
  ) {}

  async create(call: IdempotentCall | null, userId: string, data: NewTask): Promise<Outcome<TaskView>> {
    const values = insertValues(newTask(userId, data));
    const events = this.events.createdPart();
    const outcome = await this.idempotency.runStatement<TaskView>(
      call,
      events === null
        ? { sql: insertSql, columns: insertColumns, values }
        : {
            sql: `${insertSql}, ${events.sql}`,
            columns: `${insertColumns}, ${events.columns}`,
            values: { ...values, ...events.values },
          },
    );
    if (events !== null) this.events.appended();
    return outcome;
  }

  /** The task as the JSON of an answer, with its version. */
  async get(userId: string, id: string): Promise<{ readonly json: string; readonly version: string }> {
    requireId(id);
    const [row] = await this.database.rows(taskById, [id, userId]);
    const [json, version] = row ?? [];
    if (typeof json !== 'string' || typeof version !== 'string') throw new TaskNotFound();
    return { json, version };
  }

  /** The task as the JSON of an answer. */
  async patch(
    userId: string,
    id: string,
    patch: TaskPatch,
    expected: VersionCondition<number>,
  ): Promise<string> {
    requireId(id);
    const event = this.events.updatedPart();
    const { write, values } = patchWrite({ userId, id, patch }, expected, event);
    const row = await this.database.writeRow(write, values, { key: id.toLowerCase() });
    if (row === null) throw new TaskNotFound();
    const [version, isExpected, json] = row;
    if (isExpected !== 't') throw new VersionMismatch(Number(version));
    if (event !== null) this.events.appended();
    return json ?? '';
  }

  /** Puts the task into the trash, from where `restore` gets it back for 30 days. */
  delete(userId: string, id: string, expected: VersionCondition<number>): Promise<void> {
    return this.database.write(async (manager) => {
      const task = await getLive(manager, userId, id);
      requireVersion(expected, task.version);
      await this.store(manager, task, trashed(task, task.lockedAt));
    });
  }

  /** @throws TaskNotDeleted where the task is not in the trash */
  restore(
    call: IdempotentCall | null,
    userId: string,
    id: string,
    expected: VersionCondition<number>,
  ): Promise<Outcome<TaskView>> {
    return this.idempotency.run(call, taskSchema, async (manager) => {
      const task = await getLocked(manager, userId, id);
      if (task.deletedAt === null) throw new TaskNotDeleted();
      requireVersion(expected, task.version);
      const next = restored(task, task.lockedAt);
      await this.store(manager, task, next);
      return view(next);
    });
  }

  private async store(manager: EntityManager, before: Task, after: Task): Promise<void> {
    await storeChange(manager, before, after);
    await this.events.changed(manager, [{ before, after }]);
  }
}

async function getLive(manager: EntityManager, userId: string, id: string): Promise<LockedTask> {
  const task = await getLocked(manager, userId, id);
  if (task.deletedAt !== null) throw new TaskNotFound();
  return task;
}

async function getLocked(manager: EntityManager, userId: string, id: string): Promise<LockedTask> {
  requireId(id);
  const task = (await lockTasks(manager, userId, [id.toLowerCase()])).get(id.toLowerCase());
  if (task === undefined) throw new TaskNotFound();
  return task;
}

const anyId = uuid();

function requireId(id: string): void {
  if (!anyId.safeParse(id).success) throw new TaskNotFound();
}
