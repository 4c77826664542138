import type { PostgresBinaries } from '../../libs/embedded/postgres-binaries.js';
import type { PostgresSettings } from '../../libs/embedded/postgres-cluster.js';
import { LocalPostgres, newPlace } from './local-postgres.js';
import { startInContainer } from './postgres-in-container.js';
import { findBinaries, installBinaries, missingPostgres } from './postgres-on-machine.js';
import type { RunningServer } from './running-server.js';
import { createDatabase, dropDatabase, runSql } from './test-database.js';

export interface PostgresOptions {
  /** Major version, 15 to 18. Default: 18. */
  readonly version?: number;
  /** Settings in addition to `fsync = off`, which only a power loss would reveal. */
  readonly settings?: PostgresSettings;
  /** Allows the server of TEST_POSTGRES_URL, which can be neither configured nor killed. */
  readonly shared?: boolean;
}

export interface TestPostgres extends RunningServer {
  /** An empty database. */
  readonly url: string;
  /** Creates another empty database; its name is made unique. */
  createDatabase(name?: string): Promise<string>;
}

/**
 * Starts a throw-away server: the server of TEST_POSTGRES_URL (if `shared`), or else the programs of that version from npm
 * or from this machine, or a container, or, with INSTALL_SYSTEM_PACKAGES=true, the system package.
 * @throws Error that says what to install; a suite is never skipped because a server is missing.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const server = (await outsideServer(options)) ?? (await ownServer(options));
  const databases: string[] = [];
  const create = async (name?: string): Promise<string> => {
    const url = await createDatabase(server.adminUrl, name);
    databases.push(url);
    return url;
  };
  try {
    return {
      adminUrl: server.adminUrl,
      port: server.port,
      url: await create(),
      createDatabase: create,
      kill: () => server.kill(),
      start: () => server.start(),
      stop: () => stopAll(server, databases),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Drops the databases, because an external server keeps running; a server that was started here is removed with them. */
async function stopAll(server: RunningServer, databases: readonly string[]): Promise<void> {
  if (server.adminUrl === process.env['TEST_POSTGRES_URL']) {
    for (const url of databases) await dropDatabase(server.adminUrl, url);
  }
  await server.stop();
}

async function outsideServer({ version, shared }: PostgresOptions): Promise<RunningServer | null> {
  const adminUrl = process.env['TEST_POSTGRES_URL'];
  if (adminUrl === undefined || shared !== true) return null;
  const [row] = await runSql(adminUrl, "SELECT current_setting('server_version_num')::int / 10000 AS major");
  if (version !== undefined && row?.['major'] !== version) return null;
  const refuse = (): Promise<never> =>
    Promise.reject(new Error('TEST_POSTGRES_URL is not ours to kill or start.'));
  const port = Number(new URL(adminUrl).port || 5432);
  return { adminUrl, port, kill: refuse, start: refuse, stop: () => Promise.resolve() };
}

async function ownServer({ version = 18, settings = {} }: PostgresOptions): Promise<RunningServer> {
  const all = { fsync: false, max_connections: 200, ...settings };
  const binaries = await findBinaries(version);
  if (binaries !== null) return startBinaries(binaries, all);
  const contained = await startInContainer(version, all);
  if (contained !== null) return contained;
  const installed = await installBinaries(version);
  if (installed !== null) return startBinaries(installed, all);
  throw missingPostgres(version, ', start a container engine');
}

async function startBinaries(binaries: PostgresBinaries, settings: PostgresSettings): Promise<RunningServer> {
  const server = new LocalPostgres(await newPlace(binaries), settings);
  try {
    await server.start();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
