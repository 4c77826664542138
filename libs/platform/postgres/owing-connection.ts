import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresClient } from './postgres-client.js';
import type { ServerState } from './server-state.js';

const pollMs = 1000;

const isWaitingSql = `
  SELECT EXISTS (SELECT FROM pg_stat_get_activity($1) WHERE wait_event = 'SyncRep') AS waiting`;

/** What is needed of the server, which is asked on another connection. */
interface Server {
  readonly isShared: boolean;
  readonly state: Pick<ServerState, 'isCommitWaiting'> | null;
  askOn<T extends object>(sql: string, values: unknown[]): Promise<readonly T[]>;
}

/**
 * Waits with a connection that owes the answer to a commit, as long as its server process waits for a standby. Where it does not, or is
 * not there, the answer is on its way, or never comes: then the connection is dead, though the server is not.
 */
export async function watchOwing(client: PostgresClient, server: Server): Promise<void> {
  const { backend } = client;
  const isOwing = (): boolean => client.owing !== null;
  let isWaiting = backend !== null;
  while (isOwing()) {
    await sleep(pollMs, undefined, { ref: false });
    if (!isOwing()) return;
    if (!isWaiting) {
      client.cut();
      return;
    }
    // Where nobody answers, the server will be found to be lost.
    isWaiting = await isStillWaiting(server, backend).catch(() => true);
  }
}

/** A pooler has its own numbers of server processes: there it is known whether any commit waits. */
async function isStillWaiting(server: Server, backend: number | null): Promise<boolean> {
  if (server.isShared) return server.state?.isCommitWaiting !== false;
  const [row] = await server.askOn<{ readonly waiting: boolean }>(isWaitingSql, [backend]);
  return row?.waiting === true;
}
