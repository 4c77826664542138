import type { Client, PoolClient } from 'pg';

/** No answer within `query_timeout`: the other end may be gone, or go on working. */
export const isReadTimeout = (error: unknown): boolean =>
  error instanceof Error && /Query read timeout/.test(error.message);

/** Without the farewell of the protocol, for which a server that is gone never answers. */
export function destroy(client: Client | PoolClient): void {
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}

/** The backend that serves a connection, to be cancelled from another one; null behind a pooler. */
export function backendOf(client: PoolClient): number | null {
  const { processID } = client as unknown as { processID?: number | null };
  return processID ?? null;
}
