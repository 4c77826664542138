import { randomBytes } from 'node:crypto';
import {
  chown,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { PostgresBinaries } from './postgres-binaries.js';
import {
  isPostmaster,
  postgresAccount,
  runPostgresProgram,
  type PostgresAccount,
} from './postgres-process.js';

export type PostgresSettings = Readonly<Record<string, string | number | boolean>>;

/** A data directory with what is needed to run it, in one folder: `data`, `password`, `postgres.log`. */
export interface PostgresCluster {
  readonly binaries: PostgresBinaries;
  readonly account: PostgresAccount;
  readonly data: string;
  readonly log: string;
  readonly password: string;
}

const initSeconds = 120;
const startSeconds = 60;
const stopSeconds = 60;

const defaults: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  // No socket file, which a long path or another user could get in the way of.
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_connections: 100,
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Opens the cluster in `directory`; the first call creates it. Where several processes do that at once, one of them wins. */
export async function openCluster(directory: string, binaries: PostgresBinaries): Promise<PostgresCluster> {
  await mkdir(directory, { recursive: true });
  const root = await realpath(directory);
  const folder = join(root, 'cluster');
  await removeUnfinished(root);
  if (!(await exists(join(folder, 'data')))) await createCluster(root, folder, binaries);
  const account = await postgresAccount(folder, binaries.postgres);
  const data = join(folder, 'data');
  await checkVersion(account, binaries, data);
  const password = (await readFile(join(folder, 'password'), 'utf8')).trim();
  return { binaries, account, data, log: join(folder, 'postgres.log'), password };
}

/** The cluster is created beside and moved when it is complete, so that a process which dies meanwhile leaves no half of one. */
async function createCluster(root: string, folder: string, binaries: PostgresBinaries): Promise<void> {
  const draft = await mkdtemp(join(root, 'unfinished-'));
  const account = await postgresAccount(draft, binaries.postgres);
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  if (account !== null) await chown(passwordFile, account.uid, account.gid);
  const data = join(draft, 'data');
  const args = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--data-checksums',
  ];
  const locale = localeArguments(await majorVersion(account, binaries));
  await runPostgresProgram(account, binaries.initdb, [...args, '-E', 'UTF8', ...locale], initSeconds * 1000);
  await writeFile(join(data, 'postgresql.conf'), "\ninclude_if_exists = 'server.conf'\n", { flag: 'a' });
  await move(draft, folder);
  await syncDirectory(root);
}

/** The same order on every system: from 17 on Postgres brings C.UTF-8 itself, before that glibc does. */
function localeArguments(major: number): readonly string[] {
  if (major >= 17) return ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return [process.platform === 'linux' ? '--locale=C.UTF-8' : '--locale=C'];
}

async function move(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    // Another process was faster: its cluster is the one.
    if (!(await exists(join(folder, 'data')))) throw error;
    await rm(draft, { recursive: true, force: true });
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open one.
  if (process.platform === 'win32') return;
  const handle = await open(path);
  await handle.sync().finally(() => handle.close());
}

/** By age, because the process id of a dead process may be in use again. No creation takes longer than initdb's timeout. */
async function removeUnfinished(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith('unfinished-')) continue;
    const path = join(root, name);
    const changed = await stat(path).catch(() => null);
    const ageMs = changed === null ? 0 : Date.now() - changed.mtimeMs;
    if (ageMs > 2 * initSeconds * 1000) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function checkVersion(
  account: PostgresAccount,
  binaries: PostgresBinaries,
  data: string,
): Promise<void> {
  const written = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  const ours = String(await majorVersion(account, binaries));
  if (written === ours) return;
  const remedy = 'move it away to start afresh, or install that version and carry the data over with pg_dump';
  throw new Error(`${data} belongs to Postgres ${written}, the installed one is ${ours}: ${remedy}.`);
}

/** The major version of the programs, such as 18. */
export async function majorVersion(account: PostgresAccount, binaries: PostgresBinaries): Promise<number> {
  const printed = await runPostgresProgram(account, binaries.postgres, ['--version'], 10_000);
  return Number(/\) (\d+)/.exec(printed)?.[1]);
}

/** The server that runs on the cluster: ours, or one that survived a killed process. Null where there is none. */
export async function findServer(
  cluster: PostgresCluster,
): Promise<{ readonly pid: number; readonly port: number } | null> {
  const text = await readFile(join(cluster.data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!(pid > 0 && port > 0)) return null;
  return (await isPostmaster(pid)) ? { pid, port } : null;
}

/**
 * Starts the server and waits until it accepts connections. pg_ctl puts it into a session of its own, so that Ctrl-C in
 * a terminal does not stop it before its clients have finished. Postgres' own lock allows one server per cluster.
 */
export async function startServer(
  cluster: PostgresCluster,
  port: number,
  settings: PostgresSettings,
): Promise<void> {
  await removeForeignLock(cluster);
  await writeSettings(cluster, { ...defaults, ...settings, port });
  const args = ['start', '-D', cluster.data, '-l', cluster.log, '-w', '-t', String(startSeconds)];
  await runPostgresProgram(cluster.account, cluster.binaries.pgCtl, args, (startSeconds + 15) * 1000);
}

/**
 * Postgres takes any process with the process id of a dead server for that server and refuses to start. In a container
 * process ids are soon used again. Backends that survived their server are still recognised, by their shared memory.
 */
async function removeForeignLock(cluster: PostgresCluster): Promise<void> {
  const file = join(cluster.data, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  if (pid > 0 && !(await isPostmaster(pid))) await rm(file, { force: true });
}

async function writeSettings(cluster: PostgresCluster, settings: PostgresSettings): Promise<void> {
  const quote = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quote(String(value))}\n`);
  const draft = join(cluster.data, `server.conf.${process.pid}`);
  await writeFile(draft, lines.join(''));
  await rename(draft, join(cluster.data, 'server.conf'));
}

/** Ends the clients' connections, writes everything out and waits until the server is gone. */
export async function stopServer(cluster: PostgresCluster): Promise<void> {
  if ((await findServer(cluster)) === null) return;
  const args = ['stop', '-D', cluster.data, '-m', 'fast', '-w', '-t', String(stopSeconds)];
  await runPostgresProgram(cluster.account, cluster.binaries.pgCtl, args, (stopSeconds + 15) * 1000);
}

/** How a client reaches the server's databases. */
export function serverUrl(cluster: PostgresCluster, port: number, database: string): string {
  return `postgresql://postgres:${cluster.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** Ports that are free now, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers
    .map((server) => server.address())
    .map((a) => (typeof a === 'object' && a ? a.port : 0));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listen(): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  });
}
