import { readdirSync, readFileSync } from 'node:fs';
import { cpuSeconds } from '../support/cpu.js';

const ticksPerSecond = 100;

/**
 * CPU seconds that Postgres has used so far: the server, its living children, and those that have ended, which the kernel adds
 * to the server as soon as it has noticed their end.
 */
export function postgresCpuSeconds(postmaster: number): number {
  const living = childrenOf(postmaster).reduce((sum, pid) => sum + livingCpuSeconds(pid), 0);
  return cpuSeconds([postmaster]) + living + endedChildrenCpuSeconds(statOf(postmaster));
}

/** Nothing for one that has just ended: it is among the ended ones now. */
function livingCpuSeconds(pid: number): number {
  try {
    return cpuSeconds([pid]);
  } catch {
    return 0;
  }
}

/** From the line of /proc/PID/stat: `cutime` and `cstime`, its 16th and 17th field. The name in it may contain blanks. */
export function endedChildrenCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** CPU seconds of the load generators that have run so far: the children of this process that have ended. */
export const generatorCpuSeconds = (): number => endedChildrenCpuSeconds(statOf('self'));

/** CPU seconds that all processes of the machine have used since its start: all but idle times in the first line of /proc/stat. */
export function allCpuSeconds(): number {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1).join('').split(/ +/);
  const [user, nice, system, , , irq, softirq, steal] = fields.map(Number);
  return sum([user, nice, system, irq, softirq, steal]) / ticksPerSecond;
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

const statOf = (pid: number | 'self'): string => readFileSync(`/proc/${pid}/stat`, 'utf8');

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** Memory of the process that is in RAM. */
export function rssMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
