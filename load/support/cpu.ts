import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time that the processes have used so far, in user and system mode, in nanoseconds; read from /proc, so Linux only. The
 * time of a thread is lost when it ends, but the threads of Node and Redis live as long as their process.
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
