import { parseArgs } from 'node:util';
import { workloads } from '../compare/workloads.js';

export interface Options {
  /** A script of load/compare/wrk. */
  readonly workload: string;
  readonly kind: 'cpu' | 'heap';
  readonly seconds: number;
  readonly connections: number;
  readonly users: number;
  readonly tasksOfEach: number;
  /** Folder of the files; null: `.cache/profile`. */
  readonly out: string | null;
}

/** The sentence tells the user what to do. */
export class UsageError extends Error {}

const names = [...new Set(workloads.map(({ script }) => script))];
const usage =
  'npm run profile -- WORKLOAD [--heap] [--seconds 10] [--connections 64] [--users 1000] [--tasks 100] [--out DIR]\n' +
  `WORKLOAD: ${names.join(', ')}`;

const known = {
  heap: { type: 'boolean', default: false },
  seconds: { type: 'string', default: '10' },
  connections: { type: 'string', default: '64' },
  users: { type: 'string', default: '1000' },
  tasks: { type: 'string', default: '100' },
  out: { type: 'string' },
} as const;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [workload = '', ...rest] = positionals;
  if (!names.includes(workload) || rest.length > 0) throw new UsageError(usage);
  return {
    workload,
    kind: values.heap ? 'heap' : 'cpu',
    seconds: count('seconds', values.seconds),
    connections: count('connections', values.connections),
    users: count('users', values.users),
    tasksOfEach: count('tasks', values.tasks),
    out: values.out ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: known });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

function count(option: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--${option} ${text} is not a number.`);
  return Number(text);
}
