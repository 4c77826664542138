import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { cpuSeconds } from '../support/cpu.js';
import { say } from '../support/figures.js';
import { UsageError } from './options.js';

const execute = promisify(execFile);
/** Of its messages on stderr: when calls fail, there may be thousands. */
const maxLines = 40;

/** @throws UsageError that says what is missing */
export async function findK6(): Promise<void> {
  await execute('k6', ['version']).catch((cause: unknown) => {
    throw new UsageError('k6 is needed, as `k6` on the PATH: https://grafana.com/docs/k6/latest/set-up/', {
      cause,
    });
  });
}

export interface K6Run {
  readonly script: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Gets each of its messages. */
  readonly onMessage?: (line: string) => void;
}

/** @returns its exit code: 99 if a threshold was missed */
export async function runK6({ script, variables, onMessage }: K6Run): Promise<number> {
  const settings = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const args = ['run', '--quiet', '--no-usage-report', '--address', '', ...settings, script];
  const child = spawn('k6', args, { stdio: ['ignore', 'inherit', 'pipe'] });
  const stop = (): boolean => child.kill('SIGINT');
  process.once('SIGINT', stop);
  let lines = 0;
  createInterface({ input: child.stderr }).on('line', (line) => {
    onMessage?.(line);
    if (lines++ < maxLines) process.stderr.write(`${line}\n`);
  });
  const cores = watchCpu(child.pid ?? 0);
  const [code] = (await once(child, 'close')) as [number | null];
  process.off('SIGINT', stop);
  if (lines > maxLines) say(`${lines - maxLines} more messages of k6`);
  say(`CPU of k6: ${cores().toFixed(2)} cores`);
  return code ?? 1;
}

/** A generator that takes a core takes it from an API on the same machine. @returns a function that ends it */
function watchCpu(pid: number): () => number {
  const started = performance.now();
  let cores = 0;
  const timer = setInterval(() => {
    try {
      cores = cpuSeconds([pid]) / ((performance.now() - started) / 1000);
    } catch {
      // It has just ended: the figure of a second ago stays.
    }
  }, 1000);
  return () => {
    clearInterval(timer);
    return cores;
  };
}
