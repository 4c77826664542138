import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Mails that tell a user something, which have no token; addresses that accounts are to have; and the networks of sessions. */
export class MailsAndNetworks1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(emailChanges);
    await runner.query(`
      ALTER TABLE auth.mail_tokens
        ALTER COLUMN token_hash DROP NOT NULL,
        ADD COLUMN used_network text,
        DROP CONSTRAINT chk_mail_tokens_purpose,
        ADD CONSTRAINT chk_mail_tokens_purpose CHECK (purpose IN (
          'verify_email', 'reset_password', 'change_email', 'password_changed', 'email_changed', 'new_device'))`);
    // Null in rows of the version before, which writes on while processes are replaced: then that of `ip` counts.
    await runner.query('ALTER TABLE auth.sessions ADD COLUMN network text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE auth.sessions DROP COLUMN network');
    await runner.query(
      `DELETE FROM auth.mail_tokens WHERE token_hash IS NULL OR purpose NOT IN ('verify_email', 'reset_password')`,
    );
    await runner.query(`
      ALTER TABLE auth.mail_tokens
        ALTER COLUMN token_hash SET NOT NULL,
        DROP COLUMN used_network,
        DROP CONSTRAINT chk_mail_tokens_purpose,
        ADD CONSTRAINT chk_mail_tokens_purpose CHECK (purpose IN ('verify_email', 'reset_password'))`);
    await runner.query('DROP TABLE auth.email_changes');
    // Nobody consumes them then.
    await runner.query(`DELETE FROM auth.outbox WHERE topic = 'auth.account_mail_requested'`);
  }
}

/**
 * The address that an account is to have, until it is confirmed. `password_digest`: SHA-256 of the password's hash when it was asked
 * for. A new password makes the request void, also where a process of the version before sets it.
 */
const emailChanges = `
  CREATE TABLE auth.email_changes (
    account_id uuid NOT NULL CONSTRAINT pk_email_changes PRIMARY KEY
      CONSTRAINT fk_email_changes_account_id REFERENCES auth.accounts ON DELETE CASCADE,
    new_email text NOT NULL CONSTRAINT chk_email_changes_new_email CHECK (char_length(new_email) <= 254),
    password_digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX idx_email_changes_created_at ON auth.email_changes (created_at)`;
