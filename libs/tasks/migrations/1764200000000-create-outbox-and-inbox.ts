import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTasksOutboxAndInbox1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(outbox);
    await runner.query(inbox);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tasks.inbox, tasks.outbox');
  }
}

const outbox = `
  CREATE TABLE tasks.outbox (
    id uuid NOT NULL CONSTRAINT pk_outbox PRIMARY KEY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    failed_at timestamptz,
    trace jsonb
  );
  CREATE INDEX idx_outbox_available_at ON tasks.outbox (available_at) WHERE failed_at IS NULL`;

/** A row for each consumer and event. It stays for a week after it was done, without its payload. */
const inbox = `
  CREATE TABLE tasks.inbox (
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
  CREATE INDEX idx_inbox_available_at ON tasks.inbox (consumer, available_at) WHERE done_at IS NULL;
  CREATE INDEX idx_inbox_done_at ON tasks.inbox (done_at) WHERE done_at IS NOT NULL;
  CREATE INDEX idx_inbox_failed_at ON tasks.inbox (failed_at) WHERE failed_at IS NOT NULL`;
