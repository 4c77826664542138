import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { EventBus } from '../platform/events/event-bus.js';
import { userDeleted } from '../users/users.events.js';

const batchSize = 1000;

const purges = [
  'DELETE FROM tasks.tasks WHERE id IN (SELECT id FROM tasks.tasks WHERE user_id = $1 LIMIT $2)',
  `DELETE FROM tasks.idempotency_keys WHERE user_id = $1 AND key IN (
     SELECT key FROM tasks.idempotency_keys WHERE user_id = $1 LIMIT $2)`,
];

/** What tasks does when it hears of something. Each handler may be told twice. */
@Injectable()
export class TasksEventHandlers implements OnModuleInit {
  constructor(
    private readonly bus: EventBus,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.bus.subscribe(userDeleted, ({ user_id }) => this.purge(user_id));
  }

  /** Deletes all that is kept of the user, in small transactions: one of 100,000 rows would hold up everybody. */
  async purge(userId: string): Promise<void> {
    for (const statement of purges) {
      let count = batchSize;
      while (count === batchSize) count = await this.purgeBatch(statement, userId);
    }
  }

  private purgeBatch(statement: string, userId: string): Promise<number> {
    return this.database.write(
      async (manager) => {
        const [, count] = await manager.query<[unknown, number]>(statement, [userId, batchSize]);
        return count;
      },
      { users: [userId] },
    );
  }
}
