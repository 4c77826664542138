import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverPorts } from './ports.js';
import { sharedDatabase } from './test-database.js';
import { waitUnlessEnded } from './wait.js';

export interface ApiOptions {
  /** A new database on the shared server unless told. */
  readonly databaseUrl?: string;
  /** A new folder, removed at the end, unless told. */
  readonly mailDir?: string;
  /** Free ones unless told, such as those of a process that this one comes after. */
  readonly port?: number;
  readonly opsPort?: number;
  /** On top of what a test needs; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another app than the monolith: a folder of `dist/apps`. */
  readonly app?: string;
  readonly args?: readonly string[];
  readonly timeoutMs?: number;
  /** Returns without waiting for readiness, for a start that is to fail or to be watched. */
  readonly waitUntilReady?: boolean;
}

export interface Api {
  readonly url: string;
  readonly opsUrl: string;
  readonly mailDir: string;
  readonly databaseUrl: string;
  readonly pid: number;
  /** What it has printed so far. */
  logs(): string;
  /** Waits until it has ended by itself. Null: by a signal. */
  exited(): Promise<number | null>;
  /** Sends the signal and waits for the end; one that takes too long (40 s) is killed and fails the test. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** As a loss of power would. */
  kill(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..');
const stopTimeoutMs = 40_000;

/** The limits count as they always do, but no suite reaches them unless it means to. */
const generousLimits = {
  RATE_LIMIT_FREE_POINTS: '1000000',
  RATE_LIMIT_PREMIUM_POINTS: '1000000',
  RATE_LIMIT_ANONYMOUS_POINTS: '1000000',
  RATE_LIMIT_CREDENTIALS_POINTS: '1000000',
  RATE_LIMIT_FAILED_LOGIN_POINTS: '1000000',
  RATE_LIMIT_REFRESH_POINTS: '1000000',
};

/** The compiled API as a process of its own, on free ports: a black box. */
export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const place = await choosePlace(options);
  const { databaseUrl, mailDir, port, opsPort } = place;
  const env = {
    ...baseEnvironment(port, opsPort),
    DATABASE_URL: databaseUrl,
    MAIL_DIR: mailDir,
    ...options.env,
  };
  const api = launch([options.app ?? 'api', ...(options.args ?? [])], env, place);
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

/** None of ours beyond what finds programs, so that a developer's own settings do not reach the test. */
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
  [app = 'api', ...appArgs]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  place: Place,
): Api {
  const program = join(root, 'node_modules', '.bin', 'node');
  // As scripts/app.mjs starts it.
  const args = ['--max-semi-space-size=8', join('dist', 'apps', app, 'main.js'), ...appArgs];
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const logs = collect(child);
  const exit = exitOf(child).finally(() => cleanUp(place, atExit));
  const atExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', atExit);
  // Whoever waits for it sees how it failed; nobody has to.
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

/** `close` rather than `exit`, so that the last words are in the logs. */
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

/** Fails at once, with its output, if the process ends instead. */
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
