import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { openDataPath, type DataPath } from '../../libs/platform/data-path.js';
import { createDataSource } from '../../libs/platform/postgres/data-source.js';
import type { Persistence } from '../../libs/platform/postgres/persistence.js';
import type { DataSource } from 'typeorm';
import { sharedDatabase } from './test-database.js';

export interface TestDatabase {
  readonly url: string;
  readonly path: DataPath;
  /** Past the databases, for what a test prepares and looks at. */
  readonly dataSource: DataSource;
  close(): Promise<void>;
}

/** The data path of a process, with these features migrated, in a database of its own on the shared server. */
export async function openTestDatabase(
  name: string,
  features: readonly Persistence[],
  environment: Readonly<Record<string, string>> = {},
): Promise<TestDatabase> {
  const url = await sharedDatabase(name);
  const settings = { NODE_ENV: 'test', DATABASE_URL: url, MIGRATE_ON_START: 'true', ...environment };
  const config = parseEnvironment(settings, platformVariables);
  const { signal: stop } = new AbortController();
  const path = await openDataPath({
    config,
    features,
    applicationName: `${name}-test`,
    isCommand: false,
    stop,
  });
  const dataSource = await createDataSource(url, config, features, `${name}-test`).initialize();
  const close = async () => {
    await dataSource.destroy();
    await path.close();
  };
  return { url, path, dataSource, close };
}
