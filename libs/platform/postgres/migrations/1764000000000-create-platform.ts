import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * - timelines: one row for each timeline on which a primary has been seen; what a standby has replayed of them tells
 *   which one it is on.
 * - leases: processes that write without telling the others by Redis.
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
