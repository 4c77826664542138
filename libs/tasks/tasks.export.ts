import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { ExportSource } from '../users/export.port.js';
import { taskColumns } from './tasks.repository.js';

@Injectable()
export class TasksExport extends ExportSource {
  readonly name = 'tasks';

  constructor(private readonly database: Database) {
    super();
  }

  /** All tasks of the user, oldest first; those in the trash tell when they got there. Consistency: primary. */
  exportOf(userId: string): Promise<unknown> {
    return this.database.read((manager) =>
      manager.query<unknown[]>(
        `SELECT ${taskColumns}, deleted_at FROM tasks.tasks WHERE user_id = $1 ORDER BY created_at, id`,
        [userId],
      ),
    );
  }
}
