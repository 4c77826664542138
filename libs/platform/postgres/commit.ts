import type { NoticeMessage } from 'pg-protocol/dist/messages.js';
import type { PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';
import { DatabaseUnavailable } from './database-unavailable.js';
import { primaryPositionSql, type Position } from '../positions/position.js';

/**
 * Commits and tells the position past it.
 *
 * @throws DatabaseUnavailable where a synchronous standby was waited for in vain: Postgres then answers with success and
 *   a warning, but a promotion may lose the write, so it can't be acknowledged
 */
export async function commit(runner: QueryRunner, client: PoolClient): Promise<Position> {
  const warnings: NoticeMessage[] = [];
  const listen = (notice: NoticeMessage) => {
    if (notice.routine === 'SyncRepWaitForLSN') warnings.push(notice);
  };
  client.on('notice', listen);
  await runner.commitTransaction().finally(() => client.off('notice', listen));
  if (warnings.length > 0) throw new DatabaseUnavailable(new Error('No standby confirmed the write.'));
  const [row] = (await runner.query(`SELECT ${primaryPositionSql} AS position`)) as { position: Position }[];
  if (row === undefined) throw new Error('A position without a row');
  return row.position;
}
