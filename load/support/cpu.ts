import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its own ticks are. */
const ticksPerSecond = 100;

/** CPU time that the processes have taken so far, in user and in system mode: by /proc, so Linux only. */
export const cpuSeconds = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + ticksOf(pid), 0) / ticksPerSecond;

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name, in parentheses, may hold blanks; utime and stime are fields 14 and 15 of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
