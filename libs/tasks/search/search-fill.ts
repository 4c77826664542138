import type { EntityManager } from 'typeorm';
import type { FillTask } from '../../platform/sweeper/sweep-task.js';
import { Turns } from '../../platform/async/turns.js';
import { canonicalTags } from '../tasks.schemas.js';
import { searchVector, type Searched } from './search-vector.js';
import { wordsVersion } from './words.js';

/** As in the predicate of idx_tasks_search_version. */
const isOutdated = `search_version < ${wordsVersion}`;

/**
 * Stores the search vector of tasks that have it of other words: from before, or from builds of before that run beside this one. Tags get
 * their normal form, by which filters find them. To Unicode that is the same text, so a task keeps its version and ETag, and there is no event.
 */
export const searchFill: FillTask = {
  name: 'search',
  // In the order of the index: else Postgres reads the table, in which ever more rows are filled.
  affected: `SELECT user_id FROM tasks.tasks WHERE ${isOutdated} ORDER BY user_id LIMIT $1`,
  async fill(manager, users, limit) {
    const rows = await outdated(manager, users, limit);
    if (rows.length === 0) return 0;
    const values: object[] = [];
    const turns = new Turns();
    for (const { id, user_id, title, description, tags: given } of rows) {
      const tags = canonicalTags(given);
      values.push({ id, tags, search: searchVector(user_id, { title, description, tags }) });
      await turns.next();
    }
    await manager.query(
      `UPDATE tasks.tasks AS task
       SET search = new.search, search_version = ${wordsVersion}, search_turn = NOT search_turn, tags = new.tags
       FROM json_to_recordset($1::json) AS new (id uuid, tags text[], search tsvector)
       WHERE task.id = new.id`,
      [JSON.stringify(values)],
    );
    return rows.length;
  },
};

interface OutdatedRow extends Searched {
  readonly id: string;
  readonly user_id: string;
}

/** Of the texts of one call; the words of a long one take a millisecond and more. */
const maxBytes = 256 * 1024;

/** Those that nobody else changes now; nobody does until the transaction ends. The first one, however long it is. */
const outdated = (manager: EntityManager, users: readonly string[], limit: number): Promise<OutdatedRow[]> =>
  manager.query<OutdatedRow[]>(
    `SELECT id, user_id, title, description, tags FROM tasks.tasks
     WHERE ${isOutdated} AND id IN (
       SELECT id FROM (
         SELECT id, row_number() OVER (ORDER BY user_id, id) AS n,
           sum(octet_length(description)) OVER (ORDER BY user_id, id) AS bytes
         FROM (
           SELECT id, user_id, description FROM tasks.tasks
           WHERE ${isOutdated} AND user_id = ANY ($1) ORDER BY user_id LIMIT $2) AS next) AS sized
       WHERE n = 1 OR bytes <= $3)
     FOR UPDATE SKIP LOCKED`,
    [users, limit, maxBytes],
  );
