import { DataSource } from 'typeorm';
import type { PlatformConfig } from '../config/platform-variables.js';
import { logger } from '../logging/logger.js';
import type { Persistence } from './persistence.js';

type DataSourceConfig = Pick<
  PlatformConfig,
  'DATABASE_POOL_SIZE' | 'DATABASE_CONNECT_TIMEOUT_MS' | 'DATABASE_STATEMENT_TIMEOUT_MS'
>;

/** The pool of one server, with a bound on every wait: for a connection, and for a statement with the locks it needs. */
export function createDataSource(
  url: string,
  config: DataSourceConfig,
  features: readonly Persistence[],
  applicationName: string,
): DataSource {
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
      keepAlive: true,
      idleTimeoutMillis: 60_000,
      statement_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS * 2,
      // The server's timeout answers first; ours is for a server that does not answer at all.
      query_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS + 1000,
    },
  });
}
