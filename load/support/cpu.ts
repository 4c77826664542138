import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time that the processes have taken so far, in user and in system mode, to the nanosecond: by /proc, so Linux only. What
 * a thread took is gone with it, but those of Node and of Redis last as long as their process.
 */
export const cpuSeconds = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + nanosecondsOf(pid), 0) / 1e9;

function nanosecondsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const [onCpu = ''] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1);
    return sum + Number(onCpu);
  }, 0);
}
