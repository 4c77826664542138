import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithUs } from '../../test/support/end-with-us.js';
import { serverPorts } from '../../test/support/ports.js';
import { waitUnlessEnded } from '../../test/support/wait.js';

/** What each server gets. */
export interface Common {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly publicKey: string;
}

export interface ServerOptions {
  readonly name: string;
  /** Arguments of Node. */
  readonly program: readonly string[];
  /** Its variables in addition to PORT. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder for what it prints: a file, as a production server's output goes to one. */
  readonly folder: string;
  readonly cwd?: string;
}

/** A server that is compared. */
export interface ComparedServer {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..');

export async function startServer(options: ServerOptions): Promise<ComparedServer> {
  const { name, program, env, folder, cwd = root } = options;
  const [port = 0] = await serverPorts(1);
  const logFile = join(folder, `${name}.log`);
  const log = openSync(logFile, 'w');
  const node = join(root, 'node_modules', '.bin', 'node');
  const { PATH, HOME } = process.env;
  const child = spawn(node, [...program], {
    cwd,
    env: { PATH, HOME, NODE_ENV: 'production', PORT: String(port), ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = once(child, 'close');
  const { pid } = child;
  // Then `ended` rejects with the reason.
  if (pid === undefined) return ended.then(() => Promise.reject(new Error(`${name} did not start.`)));
  const release = endWithUs({ pid, signal: 'SIGKILL' });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    release();
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitUnlessEnded(ended, () => answers(url), { timeoutMs: 60_000, what: `${name}'s readiness` });
  } catch (cause) {
    await stop();
    throw new Error(`${name} did not get ready:\n${readFileSync(logFile, 'utf8')}`, { cause });
  }
  return { name, url, pid, stop };
}

/** A request without a token is refused as soon as the server serves. */
async function answers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/v1/tasks`, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  return response.status === 401;
}
