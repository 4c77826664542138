import pg from 'pg';
import { DataSource } from 'typeorm';
import { logger } from '../logging/logger.js';
import type { Persistence } from './persistence.js';
import type { PostgresClient, PostgresClientConfig } from './postgres-client.js';
import { PostgresPool } from './postgres-pool.js';
import type { PostgresConfig } from './postgres.config.js';

// By default node-postgres writes a Date in the zone of the process, with an offset in whole minutes. Before standard time,
// when Berlin was 53 min 28 s ahead, that is another moment.
pg.defaults.parseInputDatesAsUTC = true;

export type ConnectionConfig = Pick<
  PostgresConfig,
  | 'DATABASE_POOL_SIZE'
  | 'DATABASE_CONNECT_TIMEOUT_MS'
  | 'DATABASE_STATEMENT_TIMEOUT_MS'
  | 'DATABASE_IDLE_TIMEOUT_MS'
  | 'DATABASE_KEEPALIVE_MS'
  | 'DATABASE_POOLER'
  | 'DATABASE_PROMOTION'
>;

/** How every connection is made. A pooler takes no settings at the start: behind one, transactions set their own. */
export function clientOptions(
  url: string,
  config: ConnectionConfig,
  applicationName: string,
): PostgresClientConfig {
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
    answerTimeoutMs: timeoutMs + 1000,
  };
}

/** After this the server ends a transaction that its process left alone. At most 10 s: the TTL of write intents relies on it. */
export const idleInTransactionMs = (
  config: Pick<ConnectionConfig, 'DATABASE_STATEMENT_TIMEOUT_MS'>,
): number => Math.min(config.DATABASE_STATEMENT_TIMEOUT_MS * 2, 10_000);

/** What TypeORM takes for pg: all that it uses is the pool. */
export const typedDriver = { Pool: PostgresPool };

/**
 * The pool of one server. Every wait has a limit: for a connection, and for a statement with the locks that it needs.
 * `onConnect` gets each new connection before it is used.
 */
export function createDataSource(
  url: string,
  config: ConnectionConfig,
  features: readonly Persistence[],
  applicationName: string,
  onConnect: (client: PostgresClient) => Promise<void> = () => Promise.resolve(),
): DataSource {
  const {
    connectionString: _url,
    application_name: _name,
    ...options
  } = clientOptions(url, config, applicationName);
  return new DataSource({
    type: 'postgres',
    url,
    driver: typedDriver,
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
      isTraced: true,
      idleTimeoutMillis: config.DATABASE_IDLE_TIMEOUT_MS,
      verify: (client: PostgresClient, done: (error?: unknown) => void) => {
        // pg-pool does not listen for errors during `verify`; a broken connection shows in the query.
        client.on('error', ignore);
        onConnect(client).then(() => {
          client.off('error', ignore);
          done();
        }, done);
      },
    },
  });
}

const ignore = () => undefined;
