import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAuthInbox1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(inbox);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE auth.inbox');
  }
}

/** A row for each consumer and event. It stays for a week after it was done, without its payload. */
const inbox = `
  CREATE TABLE auth.inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    topic text NOT NULL,
    payload jsonb,
    trace jsonb,
    occurred_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    failed_at timestamptz,
    done_at timestamptz,
    CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
  );
  CREATE INDEX idx_inbox_available_at ON auth.inbox (consumer, available_at) WHERE done_at IS NULL;
  CREATE INDEX idx_inbox_done_at ON auth.inbox (done_at) WHERE done_at IS NOT NULL;
  CREATE INDEX idx_inbox_failed_at ON auth.inbox (failed_at) WHERE failed_at IS NOT NULL`;
