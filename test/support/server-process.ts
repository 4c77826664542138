import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { endWithUs } from './end-with-us.js';
import { waitUnlessEnded } from './wait.js';

export interface ServerProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** What it reads from its standard input. */
  readonly input?: string;
  /** Whom to run it as, where we are root. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** Its own, which goes with it. */
  readonly directory?: string;
  /** On top of our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** What ends it with its children at once, where SIGKILL would leave these behind. */
  readonly endSignal?: 'SIGQUIT' | 'SIGKILL';
  readonly isReady: () => Promise<boolean>;
  /** 15 s unless told. */
  readonly timeoutMs?: number;
}

export interface ServerProcess {
  signal(name: NodeJS.Signals): void;
  /** SIGKILL or what was told instead, and waits until it is gone. */
  kill(): Promise<void>;
  /** The same, and removes its directory. */
  stop(): Promise<void>;
}

/**
 * Runs a server in the foreground and waits until it is ready.
 * @throws Error with what it printed, if it ends instead or takes too long.
 */
export async function runServer(options: ServerProcessOptions): Promise<ServerProcess> {
  const { program, args, account = {}, input = '', directory, endSignal = 'SIGKILL' } = options;
  const env = { ...process.env, ...options.env };
  const child = spawn(program, [...args], { ...account, env, cwd: '/', stdio: 'pipe' });
  const logs = lastWords(child);
  const ended = once(child, 'close').catch((error: unknown) => logs.push(String(error)));
  child.stdin.on('error', () => undefined).end(input);
  const release =
    child.pid === undefined ? () => undefined : endWithUs({ pid: child.pid, signal: endSignal, directory });
  const kill = async (): Promise<void> => {
    child.kill(endSignal);
    await ended;
    release();
  };
  const stop = async (): Promise<void> => {
    await kill();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  };
  try {
    await waitUnlessEnded(ended, options.isReady, {
      timeoutMs: options.timeoutMs ?? 15_000,
      intervalMs: 20,
      what: 'its readiness',
    });
  } catch (cause) {
    await stop();
    throw new Error(`${program} did not get ready:\n${logs.join('')}`, { cause });
  }
  return { signal: (name) => void child.kill(name), kill, stop };
}

/** Its output is read all along, so that a full pipe never holds it up, and no more kept than an error can show. */
function lastWords(child: ChildProcess): string[] {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      chunks.push(chunk);
      if (chunks.length > 100) chunks.shift();
    });
  }
  return chunks;
}
