import { renewDatabaseIdSql } from '../postgres/database-identity.js';
import { DatabaseUnavailable } from '../postgres/database-unavailable.js';
import { transact } from '../postgres/transaction.js';
import type { DatabaseFactory } from './database.js';

const leaseWaitMs = 5000;

/**
 * Gives the database another id, so that no process uses positions, cache entries or tokens from before any more. It does
 * so under the lease: a process that still knows the old id when others write with the new one would not see their writes.
 *
 * @throws DatabaseUnavailable
 */
export async function renewDatabaseId({ servers, consistency, config }: DatabaseFactory): Promise<string> {
  const { lease, writes } = consistency;
  const end = writes.begin(null);
  try {
    if (!(await lease.untilEffective(leaseWaitMs))) throw new DatabaseUnavailable();
    const { result } = await transact(
      await servers.writable(),
      config,
      ({ manager }) => manager.query<[{ id: string }[], number]>(renewDatabaseIdSql),
      async (manager) => {
        if (!(await lease.confirm(manager))) throw new DatabaseUnavailable();
      },
    );
    const [[row]] = result;
    if (row === undefined) throw new Error('The database got no id.');
    return row.id;
  } finally {
    end();
  }
}
