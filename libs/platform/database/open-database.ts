import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { PlatformConfig } from '../config/platform-variables.js';
import { logger } from '../logging/logger.js';
import { createDataSource } from './data-source.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { migrate, pendingMigrations } from './migrator.js';
import type { Persistence } from './persistence.js';
import { isDatabaseUnavailable } from './postgres-errors.js';

export interface OpenDatabase {
  readonly url: string;
  readonly dataSource: DataSource;
  /** Closes the pool and, if it was started here, the embedded Postgres. */
  close(): Promise<void>;
}

const retryMs = 1000;

/**
 * Opens the database of a process: starts the embedded one where no `DATABASE_URL` is given, migrates
 * where the configuration says so, and otherwise waits until somebody else has migrated.
 */
export async function openDatabase(
  config: PlatformConfig,
  features: readonly Persistence[],
  applicationName: string,
): Promise<OpenDatabase> {
  const embedded =
    config.DATABASE_URL === undefined
      ? await startEmbeddedPostgres({ directory: join(config.DATA_DIR, 'postgres'), database: 'task_api' })
      : null;
  const url = embedded?.url ?? config.DATABASE_URL ?? '';
  const dataSource = createDataSource(url, config, features, applicationName);
  const close = async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await embedded?.stop();
  };
  try {
    if (config.MIGRATE_ON_START ?? embedded !== null) await untilAvailable(() => migrate(url, features));
    await untilAvailable(() => dataSource.initialize());
    await untilMigrated(dataSource, features);
    return { url, dataSource, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A database that is not there yet is waited for: the probes tell that this process has not started. */
async function untilAvailable<T>(attempt: () => Promise<T>): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await attempt();
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      if (isFirst) logger.warn({ err: error }, 'waiting for the database');
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

async function untilMigrated(dataSource: DataSource, features: readonly Persistence[]): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    const pending = await untilAvailable(() => pendingMigrations(dataSource, features));
    if (pending === 0) return;
    if (isFirst) logger.warn({ pending }, 'waiting for migrations');
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}
