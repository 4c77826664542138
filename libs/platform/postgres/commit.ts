import type { NoticeMessage } from 'pg-protocol/dist/messages.js';
import type { QueryRunner } from 'typeorm';
import { databaseOf, type Position } from '../positions/position.js';
import type { CommitSettings } from './commit-rule.js';
import { DatabaseUnavailable } from './database-unavailable.js';
import { commitProgressSql } from './position-sql.js';
import type { PostgresClient } from './postgres-client.js';
import type { PostgresServer } from './postgres-server.js';

/**
 * Commits. Returns a position at or past the commit, in the database with the id of `near`.
 *
 * @throws DatabaseUnavailable where the commit can't be acknowledged: no synchronous standby confirmed it (Postgres then answers with
 *   success and a warning, but a promotion may lose the write), or it is not known which one did
 */
export async function commit(
  primary: PostgresServer,
  runner: QueryRunner,
  client: PostgresClient,
  near: Position,
): Promise<Position> {
  await confirmed(client, () => runner.commitTransaction());
  const { rows } = await client.query<CommitProgress>(commitProgressSql);
  const [row] = rows;
  if (row === undefined) throw new Error('A position without a row');
  const acknowledging = primary.acknowledge(row);
  if (acknowledging !== null) await acknowledging;
  return databaseOf(near) + row.progress;
}

interface CommitProgress extends CommitSettings {
  readonly progress: string;
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
