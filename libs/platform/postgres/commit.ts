import type { NoticeMessage } from 'pg-protocol/dist/messages.js';
import type { QueryRunner } from 'typeorm';
import { databaseOf, type Position } from '../positions/position.js';
import { DatabaseUnavailable } from './database-unavailable.js';
import { primaryProgressSql } from './position-sql.js';
import type { PostgresClient } from './postgres-client.js';

/**
 * Commits. Returns a position at or past the commit, in the database with the id of `near`; null where that is null.
 *
 * @throws DatabaseUnavailable where no synchronous standby confirmed the commit. Postgres then answers with success and a
 *   warning, but a promotion may lose the write, so it can't be acknowledged.
 */
export async function commit(
  runner: QueryRunner,
  client: PostgresClient,
  near: Position | null,
): Promise<Position | null> {
  await confirmed(client, () => runner.commitTransaction());
  if (near === null) return null;
  const [row] = (await runner.query(`SELECT ${primaryProgressSql} AS progress`)) as { progress: string }[];
  if (row === undefined) throw new Error('A position without a row');
  return databaseOf(near) + row.progress;
}

/** Runs what commits. @throws DatabaseUnavailable where no synchronous standby confirmed it */
export async function confirmed<T>(client: PostgresClient, commit: () => Promise<T>): Promise<T> {
  const warnings: NoticeMessage[] = [];
  const listen = (notice: NoticeMessage) => {
    if (notice.routine === 'SyncRepWaitForLSN') warnings.push(notice);
  };
  client.on('notice', listen);
  const result = await commit().finally(() => client.off('notice', listen));
  if (warnings.length > 0) throw new DatabaseUnavailable(new Error('No standby confirmed the write.'));
  return result;
}
