import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { postgresAccount } from '../../libs/embedded/postgres-process.js';
import { getBinaries } from '../support/postgres-on-machine.js';
import { isListening, serverPorts } from '../support/ports.js';
import { getProgram } from '../support/programs.js';
import { askRedis } from '../support/redis-command.js';
import { runServer, type ServerProcess } from '../support/server-process.js';
import { runSql } from '../support/test-database.js';
import type { Place } from './place.js';

type PostgresRole = 'primary' | 'replica';

/** Starts Postgres with compose/postgres/*.sh and Debian's Postgres 15; a second call starts it again on the same data. */
export async function startPostgresOf(place: Place, role: PostgresRole): Promise<ServerProcess> {
  const binaries = await getBinaries(15);
  const data = join(place.folder, role);
  const url = await databaseUrl(place, role);
  return runServer({
    program: 'sh',
    args: [place.file(`postgres/${role}.sh`)],
    ...(await accountFor(data, binaries.postgres)),
    env: {
      PATH: [dirname(binaries.postgres), process.env['PATH']].join(delimiter),
      PGDATA: join(data, 'cluster'),
      PGPORT: String(place.ports[role]),
      SOCKET_DIR: data,
      // The files that the scripts leave are removed with the folder.
      TMPDIR: data,
      POSTGRES_SECRETS: place.secret('postgres'),
      ...(role === 'primary'
        ? { REPLICA_PGDATA: join(place.folder, 'replica', 'cluster') }
        : { PRIMARY_HOST: '127.0.0.1', PRIMARY_PORT: String(place.ports.primary) }),
    },
    // Without waiting for clients, like a power loss, but together with its children.
    endSignal: 'SIGQUIT',
    timeoutMs: 60_000,
    isReady: async () => (await runSql(url, 'SELECT')).length === 1,
  });
}

/** URL of the API's database on that server, with the API's own role. */
export async function databaseUrl(place: Place, role: PostgresRole): Promise<string> {
  const env = await place.apiEnvironment();
  return env[role === 'primary' ? 'DATABASE_URL' : 'DATABASE_REPLICA_URLS'] ?? '';
}

/** Starts Redis with compose/redis/redis.conf. */
export async function startRedisOf(place: Place): Promise<ServerProcess> {
  const { REDIS_URL: url = '' } = await place.apiEnvironment();
  const where = [
    '--port',
    String(place.ports.redis),
    '--bind',
    '127.0.0.1',
    '--dir',
    await place.folderFor('redis'),
  ];
  return runServer({
    program: await getProgram('redis-server'),
    args: [place.file('redis/redis.conf'), '--include', place.secret('redis/password.conf'), ...where],
    isReady: async () => (await askRedis(url, ['PING'])) === 'PONG',
  });
}

export type Balance = 'round_robin' | 'least_conn' | 'ip_hash';

/** A line of the access log. */
export interface Access {
  readonly request_id: string;
  readonly client: string;
  /** Addresses of the API processes that were tried, in this order. */
  readonly servers: string;
  readonly status: number;
}

export interface Nginx {
  readonly url: string;
  readonly port: number;
  accesses(): Promise<readonly Access[]>;
  stop(): Promise<void>;
}

/** Starts Debian's NGINX with compose/nginx/start.sh. */
export async function startNginx(place: Place, servers: readonly string[], balance: Balance): Promise<Nginx> {
  const program = await getProgram('nginx');
  const [port = 0] = await serverPorts(1);
  const run = await place.folderFor(balance);
  const log = join(run, 'log');
  await writeFile(log, '');
  const server = await runServer({
    program: 'sh',
    // NGINX opens /dev/stdout as a file, which fails for a socket, and Node gives its children sockets.
    args: ['-c', 'exec sh "$0" >>"$1" 2>&1', place.file('nginx/start.sh'), log],
    ...(await accountFor(run, program)),
    env: {
      PATH: [dirname(program), process.env['PATH']].join(delimiter),
      API_SERVERS: servers.join(' '),
      NGINX_BALANCE: balance,
      NGINX_LISTEN: `127.0.0.1:${port}`,
      NGINX_RUN: run,
    },
    endSignal: 'SIGQUIT',
    isReady: () => isListening(port),
  });
  const accesses = async (): Promise<readonly Access[]> =>
    (await readFile(log, 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Access);
  return { url: `http://127.0.0.1:${port}`, port, accesses, stop: () => server.stop() };
}

export interface Prometheus {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts Prometheus with compose/prometheus/prometheus.yml, with addresses instead of host names. It scrapes every second. */
export async function startPrometheus(
  place: Place,
  names: Readonly<Record<string, string>>,
): Promise<Prometheus> {
  const program = await getProgram('prometheus');
  const folder = await place.folderFor('prometheus');
  const [port = 0] = await serverPorts(1);
  const all = {
    ...names,
    '127.0.0.1:9090': `127.0.0.1:${port}`,
    'scrape_interval: 15s': 'scrape_interval: 1s',
    // The changed file is in another folder.
    '../../monitoring/rules.yaml': join(place.folder, 'monitoring', 'rules.yaml'),
  };
  let text = (await readFile(place.file('prometheus/prometheus.yml'), 'utf8')).replace(
    'timeout: 5s',
    'timeout: 1s',
  );
  for (const [name, value] of Object.entries(all)) {
    if (!text.includes(name)) throw new Error(`prometheus.yml does not name ${name}.`);
    text = text.replaceAll(name, value);
  }
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, text);
  const url = `http://127.0.0.1:${port}`;
  const places = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`];
  const server = await runServer({
    program,
    args: [...places, `--web.listen-address=127.0.0.1:${port}`],
    isReady: async () => (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(2000) })).ok,
  });
  return { url, stop: () => server.stop() };
}

/** Another account than root, as in compose.yaml; it then owns the folder. */
async function accountFor(
  folder: string,
  program: string,
): Promise<{ readonly account?: { readonly uid: number; readonly gid: number } }> {
  const account = await postgresAccount(folder, program);
  return account === null ? {} : { account: { uid: account.uid, gid: account.gid } };
}
