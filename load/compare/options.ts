import { parseArgs } from 'node:util';
import { serverNames, withoutOwnIndexes, workloads, type ServerName, type Workload } from './workloads.js';

export interface Options {
  readonly workloads: readonly Workload[];
  readonly servers: ReadonlySet<ServerName>;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: readonly number[];
  readonly users: number;
  readonly tasksOfEach: number;
  /** Writes the page of docs/. */
  readonly writes: boolean;
}

const options = {
  only: { type: 'string' },
  'without-own-indexes': { type: 'boolean', default: false },
  servers: { type: 'string', default: serverNames.join(',') },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '4' },
  'warm-up': { type: 'string', default: '5' },
  connections: { type: 'string', default: '64,1000' },
  users: { type: 'string', default: '1000' },
  tasks: { type: 'string', default: '100' },
  write: { type: 'boolean', default: false },
} as const;

/** @throws Error that says what is possible */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options });
  return {
    workloads: chosen(values.only, values['without-own-indexes']),
    servers: new Set(values.servers.split(',').map(serverOf)),
    rounds: numberOf(values.rounds),
    seconds: numberOf(values.seconds),
    warmUpSeconds: numberOf(values['warm-up']),
    connections: values.connections.split(',').map(numberOf),
    users: numberOf(values.users),
    tasksOfEach: numberOf(values.tasks),
    writes: values.write,
  };
}

/** All of them unless some are named. */
function chosen(only: string | undefined, isWithoutOwnIndexes: boolean): readonly Workload[] {
  if (only === undefined) return isWithoutOwnIndexes ? [withoutOwnIndexes] : workloads;
  return [...only.split(',').map(workloadOf), ...(isWithoutOwnIndexes ? [withoutOwnIndexes] : [])];
}

function workloadOf(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found === undefined)
    throw new Error(`There is no workload ${name}: ${workloads.map((each) => each.name).join(', ')}.`);
  return found;
}

function serverOf(name: string): ServerName {
  const found = serverNames.find((each) => each === name);
  if (found === undefined) throw new Error(`There is no server ${name}: ${serverNames.join(', ')}.`);
  return found;
}

function numberOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`"${text}" is no number from 1 to 999999.`);
  return Number(text);
}
