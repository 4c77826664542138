import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * - members: the servers that may have confirmed a commit, the primary included, by `cluster_name` in lower case. `timeline`:
 *   the last one on which it was seen to write or to receive; 0: none yet. No row: the standbys that confirm can't be counted.
 * - commit_rule: one row: the `synchronous_standby_names`, and the timeline, for which the members are. It counts once a server
 *   of `waits_for` shows it, which are the members of before: then no one can take those for the members of now.
 * - heartbeat: one row: the last commit that shows that the primary still is one. `confirmed_at`: since when a heartbeat was
 *   known to be confirmed on this timeline.
 */
export class AddCommitRule1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE platform.members (
        cluster_name text NOT NULL CONSTRAINT pk_members PRIMARY KEY,
        timeline integer NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE platform.commit_rule (
        is_only boolean NOT NULL DEFAULT true
          CONSTRAINT pk_commit_rule PRIMARY KEY CONSTRAINT ck_commit_rule_is_only CHECK (is_only),
        number integer NOT NULL,
        standby_names text NOT NULL,
        timeline integer NOT NULL,
        primary_name text NOT NULL,
        waits_for text[] NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE platform.heartbeat (
        is_only boolean NOT NULL DEFAULT true
          CONSTRAINT pk_heartbeat PRIMARY KEY CONSTRAINT ck_heartbeat_is_only CHECK (is_only),
        timeline integer NOT NULL,
        beat_at timestamptz NOT NULL,
        confirmed_at timestamptz
      )`);
    // So that a heartbeat is an update, which passes over a row that another one has locked.
    await runner.query("INSERT INTO platform.heartbeat (timeline, beat_at) VALUES (0, 'epoch')");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE platform.heartbeat, platform.commit_rule, platform.members');
  }
}
