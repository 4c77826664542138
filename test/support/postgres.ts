import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresBinaries } from '../../libs/platform/database/postgres-binaries.js';
import {
  findServer,
  freePorts,
  openCluster,
  serverUrl,
  startServer,
  stopServer,
  type PostgresCluster,
  type PostgresSettings,
} from '../../libs/platform/database/postgres-cluster.js';
import { killWithChildren } from './kill-processes.js';
import { startInContainer } from './postgres-in-container.js';
import { findBinaries, installByApt } from './postgres-on-machine.js';
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
    return { ...server, url: await create(), createDatabase: create, stop: () => stopAll(server, databases) };
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
  const installed = await installByApt(version);
  if (installed !== null) return startBinaries(installed, all);
  const choices = `install its server programs (package postgresql-${version}) or a container engine`;
  throw new Error(`This test needs Postgres ${version}: ${choices}.`);
}

async function startBinaries(binaries: PostgresBinaries, settings: PostgresSettings): Promise<RunningServer> {
  const directory = await mkdtemp(join(tmpdir(), 'postgres-test-'));
  // The account of the server must be able to enter.
  await chmod(directory, 0o755);
  const [port = 0] = await freePorts(1);
  try {
    const cluster = await openCluster(directory, binaries);
    await startServer(cluster, port, settings);
    return await controls(cluster, directory, port, settings);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function controls(
  cluster: PostgresCluster,
  directory: string,
  port: number,
  settings: PostgresSettings,
): Promise<RunningServer> {
  let pid = (await findServer(cluster))?.pid;
  const atExit = (): void => discard(pid, directory);
  process.once('exit', atExit);
  return {
    adminUrl: serverUrl(cluster, port, 'postgres'),
    port,
    kill: async () => {
      if (pid !== undefined) await killWithChildren(pid);
      pid = undefined;
    },
    start: async () => {
      await startServer(cluster, port, settings);
      pid = (await findServer(cluster))?.pid;
    },
    stop: async () => {
      await stopServer(cluster);
      pid = undefined;
      process.off('exit', atExit);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** For a run that ends before it could stop its server: nothing of it stays behind. */
function discard(pid: number | undefined, directory: string): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  // Postgres' immediate shutdown ends its children too. An exiting process can wait only like this.
  for (let tries = 0; pid !== undefined && tries < 100 && trySignal(pid, 'SIGQUIT'); tries += 1) {
    Atomics.wait(pause, 0, 0, 20);
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
