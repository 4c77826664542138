import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverPorts } from './ports.js';
import { sharedDatabase } from './test-database.js';
import { waitUnlessEnded } from './wait.js';

export interface ApiOptions {
  /** Default: a new database on the shared server. */
  readonly databaseUrl?: string;
  /** Default: a new folder that is removed at the end. */
  readonly mailDir?: string;
  /** Default: free ports. Set them, for example, to restart a process on its ports. */
  readonly port?: number;
  readonly opsPort?: number;
  /** Variables in addition to those that every test needs; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A folder of `dist/apps`; default: the monolith. */
  readonly app?: string;
  /** Arguments of Node that replace the app of `dist`: options, a file and its arguments. */
  readonly program?: readonly string[];
  readonly args?: readonly string[];
  /** Another checkout with its own `dist` and `node_modules`, whose build is started. TEST_API_ROOT names one for a whole run. */
  readonly root?: string;
  readonly timeoutMs?: number;
  /** Its output goes to this file, as a production server's does; default: to this process, which keeps it. */
  readonly outputFile?: string;
  /** Returns without waiting for readiness, for tests of a start or of a failing start. */
  readonly waitUntilReady?: boolean;
}

export interface Api {
  readonly url: string;
  readonly opsUrl: string;
  readonly mailDir: string;
  readonly databaseUrl: string;
  readonly pid: number;
  /** Its output so far. */
  logs(): string;
  /** Waits until the process ends by itself. Null: it was ended by a signal. */
  exited(): Promise<number | null>;
  /** Sends the signal and waits for the end. A process that takes longer than 40 s is killed, and the test fails. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Kills it, as a power loss would. */
  kill(): Promise<void>;
}

const ownRoot = join(import.meta.dirname, '..', '..');
const stopTimeoutMs = 40_000;

/** Rate limits that are active but so high that no suite reaches them by accident. */
const generousLimits = {
  RATE_LIMIT_FREE_POINTS: '1000000',
  RATE_LIMIT_PREMIUM_POINTS: '1000000',
  RATE_LIMIT_ANONYMOUS_POINTS: '1000000',
  RATE_LIMIT_CREDENTIALS_POINTS: '1000000',
  RATE_LIMIT_FAILED_LOGIN_POINTS: '1000000',
  RATE_LIMIT_FAILED_LOGIN_EMAIL_POINTS: '1000000',
  RATE_LIMIT_REFRESH_POINTS: '1000000',
};

/** Starts the compiled API as a separate process on free ports; tests use it as a black box. */
export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const place = await choosePlace(options);
  const { databaseUrl, mailDir, port, opsPort } = place;
  const env = {
    ...baseEnvironment(port, opsPort),
    DATABASE_URL: databaseUrl,
    MAIL_DIR: mailDir,
    ...options.env,
  };
  const root = options.root ?? process.env['TEST_API_ROOT'] ?? ownRoot;
  const { app = 'api', program = [join('dist', 'apps', app, 'main.js')], args = [] } = options;
  const api = launch(root, [...program, ...args], env, place, options.outputFile);
  if (options.waitUntilReady === false) return api;
  try {
    await untilReady(api, options.timeoutMs ?? 30_000);
    return api;
  } catch (error) {
    await api.kill();
    throw error;
  }
}

interface Place {
  readonly databaseUrl: string;
  readonly mailDir: string;
  readonly ownsMailDir: boolean;
  readonly port: number;
  readonly opsPort: number;
}

async function choosePlace({ databaseUrl, mailDir, port, opsPort }: ApiOptions): Promise<Place> {
  const [first = 0, second = 0] = await serverPorts(2);
  return {
    databaseUrl: databaseUrl ?? (await sharedDatabase('api')),
    mailDir: mailDir ?? (await mkdtemp(join(tmpdir(), 'task-api-mail-'))),
    ownsMailDir: mailDir === undefined,
    port: port ?? first,
    opsPort: opsPort ?? second,
  };
}

/** Only the variables that are needed to find programs, so that a developer's own settings do not reach the test. */
function baseEnvironment(port: number, opsPort: number): Readonly<Record<string, string | undefined>> {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env;
  return {
    ...{ PATH, HOME, TMPDIR, SystemRoot },
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: String(port),
    OPS_PORT: String(opsPort),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    MIGRATE_ON_START: 'true',
    LOG_LEVEL: 'info',
    ...generousLimits,
  };
}

function launch(
  root: string,
  program: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  place: Place,
  outputFile?: string,
): Api {
  const node = join(root, 'node_modules', '.bin', 'node');
  const file = outputFile === undefined ? undefined : openSync(outputFile, 'w');
  // As in scripts/app.mjs.
  const child = spawn(node, ['--max-semi-space-size=16', ...program], {
    cwd: root,
    env,
    stdio: ['ignore', file ?? 'pipe', file ?? 'pipe'],
  });
  if (file !== undefined) closeSync(file);
  const logs = outputFile === undefined ? collect(child) : () => readFileSync(outputFile, 'utf8');
  const exit = exitOf(child).finally(() => cleanUp(place, atExit));
  const atExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', atExit);
  // Whoever awaits it gets the error; nobody has to await it.
  exit.catch(() => undefined);
  const end = (signal: NodeJS.Signals): Promise<number | null> => stop(child, exit, signal, logs);
  return {
    url: `http://127.0.0.1:${place.port}`,
    opsUrl: `http://127.0.0.1:${place.opsPort}`,
    databaseUrl: place.databaseUrl,
    mailDir: place.mailDir,
    pid: child.pid ?? 0,
    logs,
    exited: () => exit,
    stop: (signal = 'SIGTERM') => end(signal),
    kill: () => end('SIGKILL').then(() => undefined),
  };
}

async function cleanUp(place: Place, atExit: () => void): Promise<void> {
  process.off('exit', atExit);
  if (place.ownsMailDir) await rm(place.mailDir, { recursive: true, force: true });
}

function collect(child: ChildProcess): () => string {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  return () => chunks.join('');
}

/** `close` instead of `exit`, so that the logs are complete. */
async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

async function stop(
  child: ChildProcess,
  exit: Promise<number | null>,
  signal: NodeJS.Signals,
  logs: () => string,
): Promise<number | null> {
  const expired = new AbortController();
  const timer = setTimeout(() => {
    expired.abort();
    child.kill('SIGKILL');
  }, stopTimeoutMs);
  child.kill(signal);
  const code = await exit.finally(() => clearTimeout(timer));
  if (expired.signal.aborted) {
    throw new Error(`The API did not stop within ${stopTimeoutMs} ms of ${signal}:\n${logs()}`);
  }
  return code;
}

/** Waits for readiness. Fails at once, with the process's output, if it ends instead. */
async function untilReady(api: Api, timeoutMs: number): Promise<void> {
  const isReady = (): Promise<boolean> => answers(`${api.opsUrl}/readyz`);
  try {
    await waitUnlessEnded(api.exited(), isReady, { timeoutMs, what: 'its readiness' });
  } catch (cause) {
    throw new Error(`The API did not get ready:\n${api.logs()}`, { cause });
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  return response.status === 200;
}
