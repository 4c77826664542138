import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateProfiles1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users.profiles (
        id uuid NOT NULL CONSTRAINT pk_profiles PRIMARY KEY,
        name text NOT NULL CONSTRAINT chk_profiles_name CHECK (char_length(name) BETWEEN 1 AND 100),
        timezone text NOT NULL DEFAULT 'UTC' CONSTRAINT chk_profiles_timezone CHECK (char_length(timezone) <= 64),
        locale text NOT NULL DEFAULT 'en' CONSTRAINT chk_profiles_locale CHECK (char_length(locale) <= 35),
        role text NOT NULL DEFAULT 'user' CONSTRAINT chk_profiles_role CHECK (role IN ('user', 'admin')),
        tier text NOT NULL DEFAULT 'free' CONSTRAINT chk_profiles_tier CHECK (tier IN ('free', 'premium')),
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now()
      )`);
    await runner.query(outbox);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE users.outbox, users.profiles');
  }
}

const outbox = `
  CREATE TABLE users.outbox (
    id uuid NOT NULL CONSTRAINT pk_outbox PRIMARY KEY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    failed_at timestamptz
  );
  CREATE INDEX idx_outbox_available_at ON users.outbox (available_at) WHERE failed_at IS NULL`;
