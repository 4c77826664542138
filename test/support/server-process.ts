import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { endWithUs } from './end-with-us.js';
import { waitUnlessEnded } from './wait.js';

export interface ServerProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Its standard input. */
  readonly input?: string;
  /** The account to run it as, if this process is root. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** Its own directory, which is removed with it. */
  readonly directory?: string;
  /** Variables in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The signal that ends it together with its children, if SIGKILL would leave the children running. */
  readonly endSignal?: 'SIGQUIT' | 'SIGKILL';
  readonly isReady: () => Promise<boolean>;
  /** Default: 15 s. */
  readonly timeoutMs?: number;
}

export interface ServerProcess {
  signal(name: NodeJS.Signals): void;
  /** Sends SIGKILL or the configured signal, and waits until the process has ended. */
  kill(): Promise<void>;
  /** Kills it and removes its directory. */
  stop(): Promise<void>;
}

/**
 * Runs a server in the foreground and waits until it is ready.
 * @throws Error with its output, if it ends instead or takes too long.
 */
export async function runServer(options: ServerProcessOptions): Promise<ServerProcess> {
  const { program, args, account = {}, input = '', directory, endSignal = 'SIGKILL' } = options;
  const env = { ...process.env, ...options.env };
  const child = spawn(program, [...args], { ...account, env, cwd: '/', stdio: 'pipe' });
  const logs = finalOutput(child);
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

/** Reads its output all the time, so that a full pipe never blocks it, and keeps only as much as an error message shows. */
function finalOutput(child: ChildProcess): string[] {
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      chunks.push(chunk);
      if (chunks.length > 100) chunks.shift();
    });
  }
  return chunks;
}
