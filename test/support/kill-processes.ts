import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { waitFor } from './wait.js';

const execute = promisify(execFile);

/** Ends a process and its children as a loss of power would, and waits until all of them are gone. */
export async function killWithChildren(pid: number): Promise<void> {
  // Stopped first, so that it has no more children after they were listed.
  process.kill(pid, 'SIGSTOP');
  const pids = [pid, ...(await childrenOf(pid))];
  for (const each of pids) tryKill(each);
  await waitFor(async () => !(await Promise.all(pids.map(isRunning))).includes(true), {
    what: `the end of ${pid}`,
  });
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** By `/proc` on Linux, since slim images have no `ps`. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await execute('ps', ['-A', '-o', 'pid=,ppid='], { timeout: 10_000 });
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    return rows.filter(([, parent]) => parent === pid).flatMap(([child]) => child ?? []);
  }
  const pids = (await readdir('/proc')).map(Number).filter((each) => each > 0);
  const states = await Promise.all(pids.map(async (each) => ({ each, state: await stateOf(each) })));
  return states.filter(({ state }) => state?.parent === pid).map(({ each }) => each);
}

async function isRunning(pid: number): Promise<boolean> {
  if (process.platform === 'linux') {
    const state = await stateOf(pid);
    // A zombie holds nothing any more; it stays where the container's first process reaps nobody.
    return state !== null && state.letter !== 'Z';
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function stateOf(pid: number): Promise<{ readonly letter: string; readonly parent: number } | null> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (line === null) return null;
  // The name before these is in brackets and may itself hold spaces and brackets.
  const [letter = '', parent] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { letter, parent: Number(parent) };
}
