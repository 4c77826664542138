import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { ExportSource, inBatches } from '../../users/export.port.js';

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
  exportOf(userId: string): AsyncGenerator<readonly unknown[]> {
    return inBatches((afterId, limit) => this.batch(userId, afterId, limit));
  }

  /** Served by idx_sessions_user_id. */
  private batch(userId: string, afterId: string, limit: number): Promise<{ id: string }[]> {
    return this.database.read((manager) =>
      manager.query(
        `SELECT id, created_at, last_used_at, ends_at AS expires_at, revoked_at, user_agent, ip
         FROM auth.sessions WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
        [userId, afterId, limit],
      ),
    );
  }
}
