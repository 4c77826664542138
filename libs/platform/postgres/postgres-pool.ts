import { DatabaseError, Pool, type PoolClient, type PoolConfig } from 'pg';
import { TimeoutError } from '../async/with-timeout.js';
import { ConnectionError, NoConnection } from './connection-errors.js';
import { PostgresClient, type PostgresClientConfig } from './postgres-client.js';

type Connected = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: unknown) => void,
) => void;

/** A pool of PostgresClients. `connect` rejects as theirs does, or with NoConnection. */
export class PostgresPool extends Pool {
  constructor(config: PoolConfig & PostgresClientConfig) {
    super({
      ...config,
      Client: class extends PostgresClient {
        constructor() {
          super(config);
        }
      },
    });
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | void {
    if (callback === undefined)
      return super.connect().catch((error: unknown) => {
        throw failureOf(error);
      });
    super.connect((error, client, release) => {
      callback(error && failureOf(error), client, release);
    });
  }
}

/** What has no type of its client's, nor of the check of a new connection, is the pool's own: it has no type at all. */
function failureOf(error: unknown): Error {
  if (error instanceof DatabaseError || error instanceof ConnectionError || error instanceof TimeoutError)
    return error;
  return new NoConnection('the pool has no connection to lend', error);
}
