import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTasks1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(enums);
    await runner.query(searchFunctions);
    await runner.query(tasks);
    await runner.query(indexes);
    await runner.query(statistics);
    await runner.query(idempotencyKeys);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tasks.idempotency_keys, tasks.tasks');
    await runner.query(
      `DROP FUNCTION tasks.search_vector, tasks.search_query, tasks.tags_query, tasks.words_vector,
         tasks.mark_lexemes, tasks.owner_mark`,
    );
    await runner.query('DROP TYPE tasks.task_status, tasks.task_priority');
  }
}

/** Enums sort in the order in which they are declared, and an index on them does too. */
const enums = `
  CREATE TYPE tasks.task_status AS ENUM ('todo', 'in_progress', 'done', 'cancelled');
  CREATE TYPE tasks.task_priority AS ENUM ('none', 'low', 'medium', 'high', 'urgent')`;

/**
 * Each word and tag is indexed with a mark of its owner before it: "meeting" of one user and of another are two
 * entries of the index, so that a search reads the rows of its user alone, however common the word is among others.
 * Users may share a mark (32 bits), which costs a few rows more to read: queries ask for the user besides.
 *
 * The marks are set in the text forms of tsvector and tsquery, where each lexeme stands in quotes and quotes within
 * it are doubled. No word has a space in it, so in a vector of words each begins after a space and a quote; replacing
 * those takes 9 µs a task, the regular expression that tags and queries need takes 20. Postgres has lexemes of up to
 * 2046 bytes, mark included: longer ones, which only a long description can hold, are left out.
 */
const searchFunctions = `
  CREATE FUNCTION tasks.owner_mark(owner uuid) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN right(owner::text, 8);

  CREATE FUNCTION tasks.mark_lexemes(lexemes text, mark text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(lexemes, '''((?:[^'']|'''')*)''', '''' || mark || '\\1''', 'g');

  CREATE FUNCTION tasks.words_vector(title text, description text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector('pg_catalog.simple', title), 'A') ||
      setweight(to_tsvector('pg_catalog.simple', CASE WHEN octet_length(description) > 1300
        THEN regexp_replace(description, '\\S{255,}', ' ', 'g') ELSE description END), 'B');

  CREATE FUNCTION tasks.search_vector(owner uuid, title text, description text, tags text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN replace(' ' || tasks.words_vector(title, description)::text, ' ''',
        ' ''' || tasks.owner_mark(owner) || ':')::tsvector ||
      tasks.mark_lexemes(array_to_tsvector(tags)::text, tasks.owner_mark(owner) || '#')::tsvector;

  CREATE FUNCTION tasks.search_query(owner uuid, q text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN tasks.mark_lexemes(
      websearch_to_tsquery('pg_catalog.simple', q)::text, tasks.owner_mark(owner) || ':')::tsquery;

  CREATE FUNCTION tasks.tags_query(owner uuid, tags text[]) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN tasks.mark_lexemes(
      (SELECT string_agg(array_to_tsvector(ARRAY[tag])::text, ' & ') FROM unnest(tags) AS tag),
      tasks.owner_mark(owner) || '#')::tsquery`;

const tasks = `
  CREATE TABLE tasks.tasks (
    id uuid NOT NULL CONSTRAINT pk_tasks PRIMARY KEY,
    user_id uuid NOT NULL,
    title text NOT NULL CONSTRAINT chk_tasks_title CHECK (char_length(title) BETWEEN 1 AND 500),
    description text NOT NULL CONSTRAINT chk_tasks_description CHECK (char_length(description) <= 16384),
    status tasks.task_status NOT NULL,
    priority tasks.task_priority NOT NULL,
    due_at timestamptz(3),
    tags text[] NOT NULL CONSTRAINT chk_tasks_tags CHECK (cardinality(tags) <= 20),
    completed_at timestamptz(3),
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    deleted_at timestamptz(3),
    version integer NOT NULL CONSTRAINT chk_tasks_version CHECK (version > 0),
    search tsvector NOT NULL GENERATED ALWAYS AS (tasks.search_vector(user_id, title, description, tags)) STORED,
    CONSTRAINT chk_tasks_completed_at CHECK ((status = 'done') = (completed_at IS NOT NULL))
  )`;

/**
 * - idx_tasks_user_id: everything of a user, live or not, in the order of ids: the export, and what erasing an account
 *   deletes. idx_tasks_trash: a user's trash in the default order. idx_tasks_deleted_at: what the sweeper purges.
 * - idx_tasks_created_at … idx_tasks_due_at_desc: a user's live tasks in each order that a list can have, so that a
 *   page costs the same however deep it is. Descending is the same index read backwards, except for due_at, whose nulls
 *   come last in both directions. Titles sort by code point without regard to the case of ASCII letters: an order
 *   that no upgrade of the system's locales can change under an index or on a replica.
 * - idx_tasks_user_status: tasks of one status in the default order; it also holds all that the stats count, which
 *   then need not read the table.
 * - idx_tasks_status: open tasks by due date, for what is overdue.
 * - idx_tasks_search: without the pending list, which every search would have to read through whole.
 */
const indexes = `
  CREATE INDEX idx_tasks_user_id ON tasks.tasks (user_id, id);
  CREATE INDEX idx_tasks_created_at ON tasks.tasks (user_id, created_at, id) WHERE deleted_at IS NULL;
  CREATE INDEX idx_tasks_updated_at ON tasks.tasks (user_id, updated_at, id) WHERE deleted_at IS NULL;
  CREATE INDEX idx_tasks_priority ON tasks.tasks (user_id, priority, id) WHERE deleted_at IS NULL;
  CREATE INDEX idx_tasks_title ON tasks.tasks (user_id, lower(title COLLATE "C"), id) WHERE deleted_at IS NULL;
  CREATE INDEX idx_tasks_due_at_asc ON tasks.tasks (user_id, coalesce(due_at, 'infinity'), id)
    WHERE deleted_at IS NULL;
  CREATE INDEX idx_tasks_due_at_desc ON tasks.tasks (user_id, coalesce(due_at, '-infinity'), id)
    WHERE deleted_at IS NULL;
  CREATE INDEX idx_tasks_user_status ON tasks.tasks (user_id, status, created_at, id)
    INCLUDE (priority, due_at, completed_at) WHERE deleted_at IS NULL;
  CREATE INDEX idx_tasks_status ON tasks.tasks (status, user_id, due_at)
    WHERE deleted_at IS NULL AND status IN ('todo', 'in_progress');
  CREATE INDEX idx_tasks_search ON tasks.tasks USING gin (search) WITH (fastupdate = off);
  CREATE INDEX idx_tasks_trash ON tasks.tasks (user_id, created_at, id) WHERE deleted_at IS NOT NULL;
  CREATE INDEX idx_tasks_deleted_at ON tasks.tasks (deleted_at) WHERE deleted_at IS NOT NULL`;

/**
 * What the planner knows of due dates. It does not use what is known of the expressions of a partial index, and would
 * take any range of due dates for a third of all tasks: a list of none then read all tasks of its user.
 */
const statistics = `
  CREATE STATISTICS tasks.sts_tasks_due_at_asc ON (coalesce(due_at, 'infinity')) FROM tasks.tasks;
  CREATE STATISTICS tasks.sts_tasks_due_at_desc ON (coalesce(due_at, '-infinity')) FROM tasks.tasks`;

const idempotencyKeys = `
  CREATE TABLE tasks.idempotency_keys (
    user_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, key)
  );
  CREATE INDEX idx_idempotency_keys_created_at ON tasks.idempotency_keys (created_at)`;
