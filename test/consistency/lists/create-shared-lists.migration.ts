import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSharedLists1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE shared_lists.lists (
        id uuid CONSTRAINT pk_lists PRIMARY KEY,
        owner_id uuid NOT NULL,
        title text NOT NULL
      );
      CREATE TABLE shared_lists.members (
        list_id uuid NOT NULL,
        user_id uuid NOT NULL,
        version integer NOT NULL DEFAULT 1,
        is_member boolean NOT NULL DEFAULT true,
        CONSTRAINT pk_members PRIMARY KEY (list_id, user_id)
      );
      CREATE TABLE shared_lists.items (
        id uuid CONSTRAINT pk_items PRIMARY KEY,
        list_id uuid NOT NULL,
        title text NOT NULL,
        version integer NOT NULL DEFAULT 1
      );
      CREATE INDEX idx_items_list_id ON shared_lists.items (list_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE shared_lists.items, shared_lists.members, shared_lists.lists');
  }
}
