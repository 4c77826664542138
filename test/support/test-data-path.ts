import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { openDataPath, type DataPath } from '../../libs/platform/data-path.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { createDataSource } from '../../libs/platform/postgres/data-source.js';
import type { Persistence } from '../../libs/platform/postgres/persistence.js';
import type { DataSource } from 'typeorm';
import { sharedDatabase } from './test-database.js';

export interface TestDataPath {
  readonly url: string;
  readonly path: DataPath;
  /** Direct access, without the data path, to prepare and inspect data. */
  readonly dataSource: DataSource;
  close(): Promise<void>;
}

/**
 * Opens the data path of a process with these features, and migrates. Default: in a new database on the shared server;
 * `DATABASE_URL` names another one.
 */
export async function openTestDataPath(
  name: string,
  features: readonly Persistence[],
  environment: Readonly<Record<string, string>> = {},
  role: 'service' | 'command' = 'service',
): Promise<TestDataPath> {
  const url = environment['DATABASE_URL'] ?? (await sharedDatabase(name));
  const settings = { NODE_ENV: 'test', DATABASE_URL: url, MIGRATE_ON_START: 'true', ...environment };
  const config = parseEnvironment(settings, platformVariables);
  const { signal: stop } = new AbortController();
  const path = await openDataPath({
    config,
    features,
    applicationName: `${name}-test`,
    role,
    metrics: new Metrics(),
    startEmbedded: () => Promise.reject(new Error('The tests have their own server.')),
    stop,
  });
  const dataSource = await createDataSource(url, config, features, `${name}-test`).initialize();
  const close = async () => {
    await dataSource.destroy();
    await path.close();
  };
  return { url, path, dataSource, close };
}
