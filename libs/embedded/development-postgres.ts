import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';

/** The Postgres of development: a cluster in the data folder, with one database. */
export const startDevelopmentPostgres = (dataDirectory: string): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({ directory: join(dataDirectory, 'postgres'), database: 'task_api' });
