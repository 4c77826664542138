import type { MigrationInterface, QueryRunner } from 'typeorm';
import { outboxTraceColumn } from '../../platform/events/outbox.js';

export class AddUsersOutboxTrace1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(outboxTraceColumn('users'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users.outbox DROP COLUMN trace');
  }
}
