import { parseArgs } from 'node:util';
import type { Protection } from './cluster/cluster.js';
import { startSingle, startStores } from './cluster/stores.js';
import { faultsOf } from './faults/faults.js';
import type { RunOptions } from './runner.js';
import { scenarios } from './scenarios.js';

const protections = Object.keys(scenarios) as readonly Protection[];
const topologies = ['direct', 'haproxy', 'single'] as const;
const tokenChoices = ['on', 'off', 'half'] as const;

const known = {
  seconds: { type: 'string', default: '60' },
  /** Decides the order of faults and actions. */
  seed: { type: 'string' },
  tokens: { type: 'string' },
  /** `single`: one Postgres, no replicas, no Redis. */
  topology: { type: 'string', default: 'direct' },
  without: { type: 'string' },
  /** Words in the names of the faults that may befall it, with commas. */
  faults: { type: 'string' },
  users: { type: 'string' },
  processes: { type: 'string', default: '3' },
  /** Requests a second. */
  rate: { type: 'string' },
} as const;

/** @throws Error where they make no sense */
export function optionsFrom(args: readonly string[], log: (line: string) => void): RunOptions {
  const { values } = parseArgs({ args: [...args], options: known });
  const without = oneOf('without', protections, values.without);
  const topology = oneOf('topology', topologies, values.topology) ?? 'direct';
  const scenario = without === undefined ? undefined : scenarios[without];
  const words = values.faults?.split(',') ?? scenario?.faults;
  const processes = Number(values.processes);
  // Else a promotion may lose what was acknowledged.
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
