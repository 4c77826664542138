import type { PostgresBinaries } from '../../libs/embedded/postgres-binaries.js';
import type { PostgresSettings } from '../../libs/embedded/postgres-cluster.js';
import { LocalPostgres, newPlace } from './local-postgres.js';
import { startInContainer } from './postgres-in-container.js';
import { findBinaries, installBinaries } from './postgres-on-machine.js';
import type { RunningServer } from './running-server.js';
import { createDatabase, dropDatabase, runSql } from './test-database.js';

export interface PostgresOptions {
  /** Major version, 15 to 18. 18 unless told. */
  readonly version?: number;
  /** On top of fsync off, which only a loss of power would show. */
  readonly settings?: PostgresSettings;
  /** Admits the server of TEST_POSTGRES_URL, which can be neither configured nor killed. */
  readonly shared?: boolean;
}

export interface TestPostgres extends RunningServer {
  /** An empty database. */
  readonly url: string;
  /** One more empty database; its name is made unique. */
  createDatabase(name?: string): Promise<string>;
}

/**
 * A throw-away server: the one that TEST_POSTGRES_URL names (if `shared`), else the version's programs from npm or
 * the machine, else a container, else, on Debian as root, what apt-get installs.
 * @throws Error that says what to install; a suite is never skipped for want of a server.
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

/** An outside server lives on, so the databases go; with one of our own they go anyway. */
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
  const choices = `install its server programs (package postgresql-${version}) or a container engine`;
  throw new Error(`This test needs Postgres ${version}: ${choices}.`);
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
