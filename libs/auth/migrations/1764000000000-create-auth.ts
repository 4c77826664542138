import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAuth1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(accounts);
    await runner.query(sessions);
    await runner.query(mailTokens);
    await runner.query(outbox);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE auth.outbox, auth.mail_tokens, auth.used_refresh_tokens, auth.sessions, auth.accounts',
    );
  }
}

const accounts = `
  CREATE TABLE auth.accounts (
    id uuid NOT NULL CONSTRAINT pk_accounts PRIMARY KEY,
    email text NOT NULL CONSTRAINT chk_accounts_email CHECK (char_length(email) <= 254),
    email_verified_at timestamptz(3),
    password_hash text NOT NULL,
    registration_name text NOT NULL,
    registration_timezone text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now()
  );
  CREATE UNIQUE INDEX uq_accounts_email ON auth.accounts (lower(email))`;

/** `ends_at` is when a session that is not used again is over; `revoked_at` alone says that it was ended. */
const sessions = `
  CREATE TABLE auth.sessions (
    id uuid NOT NULL CONSTRAINT pk_sessions PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_sessions_user_id REFERENCES auth.accounts ON DELETE CASCADE,
    refresh_hash bytea NOT NULL CONSTRAINT uq_sessions_refresh_hash UNIQUE,
    user_agent text,
    ip text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    authenticated_at timestamptz(3) NOT NULL DEFAULT now(),
    last_used_at timestamptz(3) NOT NULL DEFAULT now(),
    expires_at timestamptz(3) NOT NULL,
    idle_expires_at timestamptz(3) NOT NULL,
    revoked_at timestamptz(3),
    ends_at timestamptz(3) NOT NULL GENERATED ALWAYS AS (least(expires_at, idle_expires_at, revoked_at)) STORED
  );
  CREATE INDEX idx_sessions_user_id ON auth.sessions (user_id, id);
  CREATE INDEX idx_sessions_ends_at ON auth.sessions (ends_at);

  CREATE TABLE auth.used_refresh_tokens (
    hash bytea NOT NULL CONSTRAINT pk_used_refresh_tokens PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT fk_used_refresh_tokens_session_id REFERENCES auth.sessions ON DELETE CASCADE,
    used_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX idx_used_refresh_tokens_session_id ON auth.used_refresh_tokens (session_id)`;

/** A row outlives its account, without it: who registers and deletes in turns gets no more mails for that. */
const mailTokens = `
  CREATE TABLE auth.mail_tokens (
    event_id uuid NOT NULL CONSTRAINT pk_mail_tokens PRIMARY KEY,
    account_id uuid CONSTRAINT fk_mail_tokens_account_id REFERENCES auth.accounts ON DELETE SET NULL,
    address_hash bytea NOT NULL,
    purpose text NOT NULL CONSTRAINT chk_mail_tokens_purpose CHECK (purpose IN ('verify_email', 'reset_password')),
    token_hash bytea NOT NULL CONSTRAINT uq_mail_tokens_token_hash UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    sent_at timestamptz,
    used_at timestamptz
  );
  CREATE INDEX idx_mail_tokens_address_hash ON auth.mail_tokens (address_hash, created_at);
  CREATE INDEX idx_mail_tokens_account_id ON auth.mail_tokens (account_id);
  CREATE INDEX idx_mail_tokens_expires_at ON auth.mail_tokens (expires_at)`;

const outbox = `
  CREATE TABLE auth.outbox (
    id uuid NOT NULL CONSTRAINT pk_outbox PRIMARY KEY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    failed_at timestamptz
  );
  CREATE INDEX idx_outbox_available_at ON auth.outbox (available_at) WHERE failed_at IS NULL`;
