import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * idx_tasks_status gets the priority, and the tasks that are done or cancelled: each combination of status and priority
 * of a user is one range of it, by due date. It held the open tasks by due date alone.
 *
 * Without a transaction, so that tasks can be written while the index is built. Each step may be repeated: a migration
 * that was interrupted begins again, without what it left half-built.
 */
export class FindTasksByStatusAndPriority1764300000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await replaceIndex(runner, '(user_id, status, priority, due_at) WHERE deleted_at IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceIndex(
      runner,
      `(status, user_id, due_at) WHERE deleted_at IS NULL AND status IN ('todo', 'in_progress')`,
    );
  }
}

/**
 * The old one goes last: processes of the version before use it until then. Each step waits for the transactions that
 * run, and nobody waits for it meanwhile; so they have no lock time-out.
 */
async function replaceIndex(runner: QueryRunner, definition: string): Promise<void> {
  await runner.query('SET lock_timeout = 0');
  await runner.query('DROP INDEX CONCURRENTLY IF EXISTS tasks.idx_tasks_status_new');
  await runner.query(`CREATE INDEX CONCURRENTLY idx_tasks_status_new ON tasks.tasks ${definition}`);
  await runner.query('DROP INDEX CONCURRENTLY IF EXISTS tasks.idx_tasks_status');
  await runner.query('ALTER INDEX tasks.idx_tasks_status_new RENAME TO idx_tasks_status');
  await runner.query('RESET lock_timeout');
}
