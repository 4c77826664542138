import { parseArgs } from 'node:util';
import { startSingle, startStores } from './cluster/stores.js';
import { faultsOf } from './faults/faults.js';
import { protectionNames } from './protections/names.js';
import type { RunOptions } from './runner.js';
import { scenarios } from './scenarios.js';

const topologies = ['direct', 'haproxy', 'single'] as const;
const tokenChoices = ['on', 'off', 'half'] as const;

const known = {
  seconds: { type: 'string', default: '60' },
  /** Determines the order of faults and actions. */
  seed: { type: 'string' },
  tokens: { type: 'string' },
  /** `single`: one Postgres, no replicas, no Redis. */
  topology: { type: 'string', default: 'direct' },
  /** The protection that is missing. */
  without: { type: 'string' },
  /** Commit of the old build of a rolling update; `previous`: the version that deployments update from. */
  old: { type: 'string' },
  /** Words in the names of the faults to apply, separated by commas. */
  faults: { type: 'string' },
  users: { type: 'string' },
  processes: { type: 'string', default: '3' },
  /** Requests per second. */
  rate: { type: 'string' },
} as const;

/** @throws Error if the options are invalid */
export function optionsFrom(args: readonly string[], log: (line: string) => void): RunOptions {
  const { values } = parseArgs({ args: [...args], options: known });
  const without = oneOf('without', protectionNames, values.without);
  const topology = oneOf('topology', topologies, values.topology) ?? 'direct';
  const scenario = without === undefined ? undefined : scenarios[without];
  const words = values.faults?.split(',') ?? scenario?.faults;
  const processes = Number(values.processes);
  // Otherwise a promotion may lose acknowledged writes.
  const isSynchronous = words === undefined || words.some((word) => 'promote'.includes(word));
  return {
    ...scenario,
    seconds: Number(values.seconds),
    seed: Number(values.seed ?? Math.floor(Math.random() * 1e9)),
    tokens: oneOf('tokens', tokenChoices, values.tokens) ?? scenario?.tokens ?? 'half',
    users: Number(values.users ?? scenario?.users ?? 8),
    rate: Number(values.rate ?? scenario?.rate ?? 70),
    processes,
    without,
    old: values.old,
    untilViolation: without !== undefined,
    startStores: () =>
      topology === 'single' ? startSingle() : startStores({ processes, topology, isSynchronous }),
    chooseFaults: (cluster) => faultsOf(cluster, words),
    log,
  };
}

function oneOf<T extends string>(
  name: string,
  choices: readonly T[],
  given: string | undefined,
): T | undefined {
  if (given === undefined) return undefined;
  const chosen = choices.find((choice) => choice === given);
  if (chosen === undefined) throw new Error(`--${name} takes ${choices.join(', ')}.`);
  return chosen;
}
