import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One row: the id that positions of this database carry, and where it was given. Processes give it when they find a primary. */
export class AddDatabaseIdentity1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE platform.database_identity (
        is_only boolean NOT NULL DEFAULT true
          CONSTRAINT pk_database_identity PRIMARY KEY CONSTRAINT ck_database_identity_is_only CHECK (is_only),
        id text NOT NULL CONSTRAINT ck_database_identity_id CHECK (id ~ '^[0-9a-f]{16}$'),
        system_identifier text NOT NULL,
        database_oid oid NOT NULL,
        database_name text NOT NULL,
        given_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE platform.database_identity');
  }
}
