import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverPorts } from './ports.js';
import { getProgram } from './programs.js';
import { askRedis } from './redis-command.js';
import { runServer } from './server-process.js';

export interface RedisOptions {
  /** Settings by their names in redis.conf, in addition to those of a server without persistence. */
  readonly settings?: Readonly<Record<string, string>>;
  /** For servers that share a password; default: a random one. */
  readonly password?: string;
  /** Paths of certificate files, for a server that accepts TLS only. */
  readonly tls?: RedisTls;
  /** Its working directory, which is removed with it; default: a new one. */
  readonly directory?: string;
  /** Allows the server of TEST_REDIS_URL, which can be neither configured nor killed. */
  readonly shared?: boolean;
}

export interface RedisTls {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TestRedis {
  /** `redis://:password@127.0.0.1:port`, with TLS `rediss://…`. */
  readonly url: string;
  readonly port: number;
  readonly password: string;
  /** Kills the server, as a power loss would, and waits until it has ended. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty, and waits until it answers. */
  start(): Promise<void>;
  /** Makes it hang: it stops answering, but keeps its connections and accepts new ones. */
  pause(): void;
  resume(): void;
  /** Sends a command over a separate connection. @throws Error if it takes longer than 3 s. */
  command(...args: readonly string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Starts a throw-away Redis without persistence: the server of TEST_REDIS_URL (if `shared`), or else a new one with this
 * machine's `redis-server`.
 * @throws Error that says what to install; a suite is never skipped because a server is missing.
 */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const outside = process.env['TEST_REDIS_URL'];
  if (outside !== undefined && options.shared === true) return outsideServer(outside);
  const { password = randomBytes(16).toString('hex'), tls } = options;
  const program = await getProgram('redis-server');
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'redis-test-')));
  const [port = 0] = await serverPorts(1);
  const url = `${tls === undefined ? 'redis' : 'rediss'}://:${password}@127.0.0.1:${port}`;
  const ca = tls === undefined ? undefined : await readFile(tls.caFile);
  const command = (...args: readonly string[]): Promise<unknown> => askRedis(url, args, ca);
  const settings = {
    ...defaults(port, password, directory),
    ...tlsSettings(port, tls),
    ...options.settings,
  };
  const run = (): ReturnType<typeof runServer> =>
    runServer({
      directory,
      program,
      // The configuration comes from stdin, so that the password appears in no list of processes.
      args: ['-'],
      input: configuration(settings),
      isReady: async () => (await command('PING')) === 'PONG',
    });
  let server = await run();
  return {
    url,
    port,
    password,
    command,
    kill: () => server.kill(),
    start: async () => {
      await server.kill();
      // A replica stores there what it receives.
      await rm(join(directory, 'dump.rdb'), { force: true });
      server = await run();
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    stop: () => server.stop(),
  };
}

function outsideServer(url: string): TestRedis {
  const { port, password } = new URL(url);
  const refuse = (): never => {
    throw new Error('TEST_REDIS_URL is not ours to kill, pause or start.');
  };
  return {
    url,
    port: Number(port || 6379),
    password: decodeURIComponent(password),
    command: (...args) => askRedis(url, args),
    kill: () => Promise.resolve().then(refuse),
    start: () => Promise.resolve().then(refuse),
    pause: refuse,
    resume: refuse,
    stop: () => Promise.resolve(),
  };
}

function defaults(port: number, password: string, directory: string): Readonly<Record<string, string>> {
  return {
    port: String(port),
    bind: '127.0.0.1',
    requirepass: password,
    save: '""',
    appendonly: 'no',
    dir: directory,
  };
}

function tlsSettings(port: number, tls: RedisTls | undefined): Readonly<Record<string, string>> {
  if (tls === undefined) return {};
  const files = {
    'tls-ca-cert-file': tls.caFile,
    'tls-cert-file': tls.certFile,
    'tls-key-file': tls.keyFile,
  };
  return { ...files, port: '0', 'tls-port': String(port), 'tls-auth-clients': 'no' };
}

/** The settings in the format of redis.conf. */
export function configuration(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}
