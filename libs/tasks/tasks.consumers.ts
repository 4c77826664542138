import { Injectable } from '@nestjs/common';
import { userScope } from '../platform/context/scope.js';
import { Database } from '../platform/database/database.js';
import { OnEvent, type EventPayload } from '../platform/events/on-event.js';
import { userDeleted } from '../users/users.events.js';

const batchSize = 1000;

const purges = [
  'DELETE FROM tasks.tasks WHERE id IN (SELECT id FROM tasks.tasks WHERE user_id = $1 LIMIT $2)',
  `DELETE FROM tasks.idempotency_keys WHERE user_id = $1 AND key IN (
     SELECT key FROM tasks.idempotency_keys WHERE user_id = $1 LIMIT $2)`,
];

/** The events that tasks consumes. */
@Injectable()
export class TasksConsumers {
  constructor(private readonly database: Database) {}

  /** Deletes everything of the user in small transactions: one of 100,000 rows would make everybody wait. */
  @OnEvent(userDeleted)
  async purge({ user_id }: EventPayload<typeof userDeleted>): Promise<void> {
    for (const statement of purges) {
      let count = batchSize;
      while (count === batchSize) count = await this.purgeBatch(statement, user_id);
    }
  }

  private purgeBatch(statement: string, userId: string): Promise<number> {
    return this.database.write(
      async (manager) => {
        const [, count] = await manager.query<[unknown, number]>(statement, [userId, batchSize]);
        return count;
      },
      { scopes: [userScope(userId)] },
    );
  }
}
