import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The application stores the search vector, because how Postgres cuts text into words depends on the server's locale. The column and its
 * index stay, so no row is written: `search_version` says which ones have the words of the application, and `searchFill` sees to the
 * others.
 *
 * Builds of before leave the vector to Postgres. A trigger computes it for them as it was; `search_turn` is what tells their changes
 * of a text from those that bring a vector. It and the trigger go when those builds are not supported any more.
 */
export class SearchByWordsOfTheApplication1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(shorterRuns);
    await runner.query(`
      ALTER TABLE tasks.tasks
        ALTER COLUMN search DROP EXPRESSION,
        ADD COLUMN search_version smallint NOT NULL DEFAULT 0,
        ADD COLUMN search_turn boolean NOT NULL DEFAULT false`);
    await runner.query(triggers);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER trg_tasks_search_insert ON tasks.tasks;
      DROP TRIGGER trg_tasks_search_update ON tasks.tasks;
      DROP FUNCTION tasks.store_search;
      ALTER TABLE tasks.tasks
        DROP COLUMN search, DROP COLUMN search_version, DROP COLUMN search_turn,
        ADD COLUMN search tsvector NOT NULL
          GENERATED ALWAYS AS (tasks.search_vector(user_id, title, description, tags)) STORED;
      CREATE INDEX idx_tasks_search ON tasks.tasks USING gin (search)
        WITH (fastupdate = on, gin_pending_list_limit = 512)`);
    await runner.query(longRuns);
  }
}

/** Runs are cut at ASCII blanks: other blanks are letters for a server with the locale C, and the word then had over 2046 bytes. */
const wordsVector = (run: string): string => `
  CREATE OR REPLACE FUNCTION tasks.words_vector(title text, description text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector('pg_catalog.simple', title), 'A') ||
      setweight(to_tsvector('pg_catalog.simple', CASE WHEN octet_length(description) > 1300
        THEN regexp_replace(description, '${run}{255,}', ' ', 'g') ELSE description END), 'B')`;
const shorterRuns = wordsVector('[^ \\t\\n\\r]');
const longRuns = wordsVector('\\S');

const triggers = `
  CREATE FUNCTION tasks.store_search() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.search := tasks.search_vector(NEW.user_id, NEW.title, NEW.description, NEW.tags);
      NEW.search_version := 0;
      RETURN NEW;
    END $$;
  CREATE TRIGGER trg_tasks_search_insert BEFORE INSERT ON tasks.tasks
    FOR EACH ROW WHEN (NEW.search IS NULL) EXECUTE FUNCTION tasks.store_search();
  CREATE TRIGGER trg_tasks_search_update BEFORE UPDATE OF title, description, tags ON tasks.tasks
    FOR EACH ROW WHEN (NEW.search_turn = OLD.search_turn AND
      (NEW.title, NEW.description, NEW.tags) IS DISTINCT FROM (OLD.title, OLD.description, OLD.tags))
    EXECUTE FUNCTION tasks.store_search()`;
