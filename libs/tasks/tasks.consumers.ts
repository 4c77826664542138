import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { userScope } from '../platform/context/scope.js';
import { Database } from '../platform/database/database.js';
import { OnEvent, type EventPayload } from '../platform/events/on-event.js';
import { Outbox } from '../platform/events/outbox.js';
import { userDeleted } from '../users/users.events.js';
import { publishPurged, type PurgedTask } from './task-events.js';

const batchSize = 1000;

type Purge = (manager: EntityManager, userId: string) => Promise<number>;

/** The events that tasks consumes. */
@Injectable()
export class TasksConsumers {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Deletes everything of the user in small transactions: one of 100,000 rows would make everybody wait. A second time
   * there is nothing left to delete.
   */
  @OnEvent(userDeleted, 'purge')
  async purge({ user_id }: EventPayload<typeof userDeleted>): Promise<void> {
    for (const purge of [this.purgeTasks, purgeKeys]) {
      let count = batchSize;
      while (count === batchSize)
        count = await this.database.write((manager) => purge(manager, user_id), {
          scopes: [userScope(user_id)],
        });
    }
  }

  private readonly purgeTasks: Purge = async (manager, userId) => {
    const [rows, count] = await manager.query<[PurgedTask[], number]>(
      `DELETE FROM tasks.tasks WHERE id IN (SELECT id FROM tasks.tasks WHERE user_id = $1 LIMIT $2)
       RETURNING id, user_id, version`,
      [userId, batchSize],
    );
    await publishPurged(this.outbox, manager, rows);
    return count;
  };
}

const purgeKeys: Purge = async (manager, userId) => {
  const [, count] = await manager.query<[unknown, number]>(
    `DELETE FROM tasks.idempotency_keys WHERE user_id = $1 AND key IN (
       SELECT key FROM tasks.idempotency_keys WHERE user_id = $1 LIMIT $2)`,
    [userId, batchSize],
  );
  return count;
};
