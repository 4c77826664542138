import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddUsersOutboxTrace1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users.outbox ADD COLUMN IF NOT EXISTS trace jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users.outbox DROP COLUMN trace');
  }
}
