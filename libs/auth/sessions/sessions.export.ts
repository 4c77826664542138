import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { ExportSource } from '../../users/export.port.js';

const batchSize = 500;
/** Sorts before every other. */
const nil = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class SessionsExport extends ExportSource {
  readonly name = 'sessions';

  constructor(private readonly database: Database) {
    super();
  }

  /**
   * All sessions of the user that are kept, those that are over too, in the order of their logins. Consistency: as `Database.read`,
   * a snapshot for each batch.
   */
  async *exportOf(userId: string): AsyncGenerator<readonly unknown[]> {
    for (let after: string | undefined = nil; after !== undefined;) {
      const batch = await this.batch(userId, after);
      yield batch;
      after = batch.length < batchSize ? undefined : batch.at(-1)?.id;
    }
  }

  /** Served by idx_sessions_user_id. */
  private batch(userId: string, after: string): Promise<{ id: string }[]> {
    return this.database.read((manager) =>
      manager.query(
        `SELECT id, created_at, last_used_at, ends_at AS expires_at, revoked_at, user_agent, ip
         FROM auth.sessions WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
        [userId, after, batchSize],
      ),
    );
  }
}
