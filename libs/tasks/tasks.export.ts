import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { ExportSource, inBatches } from '../users/export.port.js';
import { taskColumns } from './tasks.repository.js';

/** Served by idx_tasks_user_id. */
export const exportStatement = `
  SELECT ${taskColumns}, deleted_at FROM tasks.tasks WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3`;

/** The tasks in the export of a user's data. */
@Injectable()
export class TasksExport extends ExportSource {
  readonly name = 'tasks';

  constructor(private readonly database: Database) {
    super();
  }

  /**
   * All tasks of the user in the order of their ids; for those in the trash also when they got there. Consistency: as
   * `Database.read`, with a snapshot for each batch.
   */
  exportOf(userId: string): AsyncGenerator<readonly unknown[]> {
    return inBatches((afterId, limit) => this.batch(userId, afterId, limit));
  }

  private batch(userId: string, afterId: string, limit: number): Promise<{ id: string }[]> {
    return this.database.read((manager) => manager.query(exportStatement, [userId, afterId, limit]));
  }
}
