import pg, { type ClientConfig, type PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import type { PlatformConfig } from '../platform.config.js';
import { logger } from '../logging/logger.js';
import type { Persistence } from './persistence.js';

// node-postgres else writes a Date in the process's own zone, with an offset in whole minutes: before standard time, when
// Berlin was 53 min 28 s ahead, that is another moment.
pg.defaults.parseInputDatesAsUTC = true;

export type ConnectionConfig = Pick<
  PlatformConfig,
  | 'DATABASE_POOL_SIZE'
  | 'DATABASE_CONNECT_TIMEOUT_MS'
  | 'DATABASE_STATEMENT_TIMEOUT_MS'
  | 'DATABASE_IDLE_TIMEOUT_MS'
  | 'DATABASE_KEEPALIVE_MS'
  | 'DATABASE_POOLER'
>;

/** How every connection is made. A pooler takes no settings at the start: there, transactions set their own. */
export function clientOptions(url: string, config: ConnectionConfig, applicationName: string): ClientConfig {
  const timeoutMs = config.DATABASE_STATEMENT_TIMEOUT_MS;
  return {
    connectionString: url,
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: config.DATABASE_KEEPALIVE_MS,
    ...(!config.DATABASE_POOLER && {
      statement_timeout: timeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs(config),
    }),
    // The server's timeout answers first; ours is for a server that does not answer at all.
    query_timeout: timeoutMs + 1000,
  };
}

const ignore = () => undefined;

/** A transaction that its process left alone: the server ends it. At most 10 s, on which the life of marks relies. */
export const idleInTransactionMs = (
  config: Pick<ConnectionConfig, 'DATABASE_STATEMENT_TIMEOUT_MS'>,
): number => Math.min(config.DATABASE_STATEMENT_TIMEOUT_MS * 2, 10_000);

/**
 * The pool of one server, with a bound on every wait: for a connection, and for a statement with the locks it needs.
 * `onConnect` sees each new connection before anybody gets it.
 */
export function createDataSource(
  url: string,
  config: ConnectionConfig,
  features: readonly Persistence[],
  applicationName: string,
  onConnect: (client: PoolClient) => Promise<void> = () => Promise.resolve(),
): DataSource {
  const {
    connectionString: _url,
    application_name: _name,
    ...options
  } = clientOptions(url, config, applicationName);
  return new DataSource({
    type: 'postgres',
    url,
    entities: features.flatMap((feature) => [...feature.entities]),
    synchronize: false,
    migrationsRun: false,
    // TypeORM would create extensions (uuid-ossp) that nothing here uses.
    installExtensions: false,
    applicationName,
    poolSize: config.DATABASE_POOL_SIZE,
    connectTimeoutMS: config.DATABASE_CONNECT_TIMEOUT_MS,
    poolErrorHandler: (error: unknown) => {
      logger.warn({ err: error }, 'an idle database connection was lost');
    },
    extra: {
      ...options,
      idleTimeoutMillis: config.DATABASE_IDLE_TIMEOUT_MS,
      verify: (client: PoolClient, done: (error?: unknown) => void) => {
        // pg-pool listens to nobody while it verifies; what breaks meanwhile shows in the query.
        client.on('error', ignore);
        onConnect(client).then(() => {
          client.off('error', ignore);
          done();
        }, done);
      },
    },
  });
}
