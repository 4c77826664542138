import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The tasks whose search vector is not of the application's words: what `searchFill` still has to do.
 *
 * Without a transaction, so that tasks can be written while the index is built. Each step may be repeated: a migration that was
 * interrupted begins again, without what it left half-built.
 */
export class FindTasksWithoutWords1764700000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // It waits for the transactions that run, and nobody waits for it meanwhile.
    await runner.query('SET lock_timeout = 0');
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS tasks.idx_tasks_search_version');
    await runner.query(
      'CREATE INDEX CONCURRENTLY idx_tasks_search_version ON tasks.tasks (user_id) WHERE search_version < 1',
    );
    await runner.query('RESET lock_timeout');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX CONCURRENTLY IF EXISTS tasks.idx_tasks_search_version');
  }
}
