import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { ExportSource } from '../users/export.port.js';
import { taskColumns } from './tasks.repository.js';

const batchSize = 500;
/** Sorts before every other. */
const nil = '00000000-0000-0000-0000-000000000000';

/** Served by idx_tasks_user_id. */
export const exportStatement = `
  SELECT ${taskColumns}, deleted_at FROM tasks.tasks WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3`;

@Injectable()
export class TasksExport extends ExportSource {
  readonly name = 'tasks';

  constructor(private readonly database: Database) {
    super();
  }

  /**
   * All tasks of the user in the order of their ids; those in the trash tell when they got there. Consistency: as `Database.read`,
   * a snapshot for each batch.
   */
  async *exportOf(userId: string): AsyncGenerator<readonly unknown[]> {
    for (let after: string | undefined = nil; after !== undefined;) {
      const batch = await this.batch(userId, after);
      yield batch;
      after = batch.length < batchSize ? undefined : batch.at(-1)?.id;
    }
  }

  private batch(userId: string, after: string): Promise<{ id: string }[]> {
    return this.database.read((manager) => manager.query(exportStatement, [userId, after, batchSize]));
  }
}
