import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { waitFor } from './wait.js';

/** Kills a process and its children, as a power loss would, and waits until all of them have ended. */
export async function killWithChildren(pid: number): Promise<void> {
  // Stopped first, so that it starts no more children after they were listed.
  process.kill(pid, 'SIGSTOP');
  const pids = [pid, ...childrenOf(pid)];
  for (const each of pids) signal(each, 'SIGKILL');
  await untilGone(pids);
}

/** Waits until none of the processes runs any more. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  await waitFor(() => !pids.some(isRunning), { what: `the end of ${pids.join(', ')}`, intervalMs: 20 });
}

/** Stops a process and its children (SIGSTOP), or continues them. */
export function signalWithChildren(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  signal(pid, name);
  for (const child of childrenOf(pid)) signal(child, name);
}

/** Ignores a process that has already ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Reads `/proc` on Linux, because slim images have no `ps`. */
function childrenOf(pid: number): readonly number[] {
  if (process.platform !== 'linux') {
    const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { timeout: 10_000, encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    return rows.filter(([, parent]) => parent === pid).flatMap(([child]) => child ?? []);
  }
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((each) => each > 0);
  return pids.filter((each) => stateOf(each)?.parent === pid);
}

function isRunning(pid: number): boolean {
  if (process.platform === 'linux') {
    const state = stateOf(pid);
    // A zombie holds no resources; it remains if process 1 of the container does not reap.
    return state !== null && state.letter !== 'Z';
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function stateOf(pid: number): { readonly letter: string; readonly parent: number } | null {
  const line = readStat(pid);
  if (line === null) return null;
  // The name before these fields is in brackets and may itself contain spaces and brackets.
  const [letter = '', parent] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { letter, parent: Number(parent) };
}

function readStat(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
}
