/** The tables of events as the migrations of features create them, and `effects` for what consumers did. */
export function eventSchema(withOutbox: readonly string[], withInbox: readonly string[]): string {
  const schemas = [...new Set([...withOutbox, ...withInbox])];
  return [
    ...schemas.map((schema) => `CREATE SCHEMA ${schema}`),
    ...withOutbox.map(outbox),
    ...withInbox.map(inbox),
    // Without a key, so that what was done twice is seen.
    ...withOutbox.map((schema) => `CREATE TABLE ${schema}.effects (consumer text, event_id uuid, name text)`),
  ].join(';\n');
}

const outbox = (schema: string): string => `
  CREATE TABLE ${schema}.outbox (
    id uuid NOT NULL CONSTRAINT pk_outbox PRIMARY KEY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    failed_at timestamptz,
    trace jsonb
  )`;

const inbox = (schema: string): string => `
  CREATE TABLE ${schema}.inbox (
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
  CREATE INDEX idx_inbox_available_at ON ${schema}.inbox (consumer, available_at) WHERE done_at IS NULL`;
