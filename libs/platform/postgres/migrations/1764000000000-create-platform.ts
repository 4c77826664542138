import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * - timelines: a row for each timeline on which a primary was seen. The newest row that a standby has replayed tells its
 *   timeline.
 * - leases: processes that write without announcing their writes in Redis.
 */
export class CreatePlatform1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE platform.timelines (
        timeline integer NOT NULL CONSTRAINT pk_timelines PRIMARY KEY,
        seen_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE platform.leases (
        holder uuid NOT NULL CONSTRAINT pk_leases PRIMARY KEY,
        expires_at timestamptz NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE platform.leases, platform.timelines');
  }
}
