import { readFileSync } from 'node:fs';

/** Resident memory of a process; read from /proc, so Linux only. */
export const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
