import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresClient } from './postgres-client.js';

const pollMs = 1000;

const isWaitingSql = `
  SELECT EXISTS (SELECT FROM pg_stat_get_activity($1) WHERE wait_event = 'SyncRep') AS waiting`;

/** Asks the server on another connection. */
type Ask = (sql: string, values: unknown[]) => Promise<readonly { readonly waiting: boolean }[]>;

/**
 * Waits with a connection that owes the answer to a commit, as long as its server process waits for a standby. Where it does not, or is
 * not there, the answer is on its way, or never comes: then the connection is dead, though the server is not.
 */
export async function watchOwing(client: PostgresClient, ask: Ask): Promise<void> {
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
    isWaiting = await ask(isWaitingSql, [backend]).then(
      ([row]) => row?.waiting === true,
      () => true,
    );
  }
}
