import type { MigrationInterface, QueryRunner } from 'typeorm';
import { outboxTraceColumn } from '../../platform/events/outbox.js';

export class AddAuthOutboxTrace1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(outboxTraceColumn('auth'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE auth.outbox DROP COLUMN trace');
  }
}
