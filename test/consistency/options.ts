import { parseArgs } from 'node:util';
import { startSingle, startStores } from './cluster/stores.js';
import { faultsOf } from './faults/faults.js';
import { allProtectionNames } from './protections/names.js';
import type { RunOptions } from './runner.js';
import { scenarios } from './scenarios.js';
import { shapeNames } from './shapes/names.js';
import { startSplitStores } from './split/stores.js';

const topologies = ['direct', 'haproxy', 'single'] as const;
const tokenChoices = ['on', 'off', 'half'] as const;

const known = {
  seconds: { type: 'string', default: '60' },
  /** Determines the order of faults and actions. */
  seed: { type: 'string' },
  tokens: { type: 'string' },
  /** `single`: one Postgres, no replicas, no Redis. */
  topology: { type: 'string', default: 'direct' },
  /**
   * `tasks`: each user has tasks. `split`: accounts and tasks have a database and processes each. `lists`: users share a few
   * lists. Default: that of the missing protection, or `tasks`.
   */
  shape: { type: 'string' },
  /** The protection that is missing. */
  without: { type: 'string' },
  /** Commit of the old build of a rolling update; `previous`: the version that deployments update from. */
  old: { type: 'string' },
  /** Words in the names of the faults to apply, separated by commas; `none` for no faults. */
  faults: { type: 'string' },
  users: { type: 'string' },
  /** Default: 3, or 4 where each part of the features has its own. */
  processes: { type: 'string' },
  /** Requests per second. */
  rate: { type: 'string' },
  /** Reads are answered as well as can be where no primary is there; what is violated then is counted. */
  available: { type: 'boolean', default: false },
  /** Commits wait for no replica. A promotion may then lose some. */
  asynchronous: { type: 'boolean', default: false },
} as const;

const usualUsers = { tasks: 8, split: 8, lists: 50 } as const;

/** @throws Error if the options are invalid */
export function optionsFrom(args: readonly string[], log: (line: string) => void): RunOptions {
  const { values } = parseArgs({ args: [...args], options: known });
  const without = oneOf('without', allProtectionNames, values.without);
  const topology = oneOf('topology', topologies, values.topology) ?? 'direct';
  const scenario = without === undefined ? undefined : scenarios[without];
  const shape = oneOf('shape', shapeNames, values.shape) ?? scenario?.shape ?? 'tasks';
  const words = values.faults === 'none' ? [] : (values.faults?.split(',') ?? scenario?.faults);
  const processes = Number(values.processes ?? (shape === 'split' ? 4 : 3));
  // Otherwise a promotion may lose acknowledged writes.
  const isPromoting = words === undefined || words.some((word) => 'promote'.includes(word));
  const isSynchronous = !values.asynchronous && (isPromoting || without === 'all-members');
  return {
    ...scenario,
    shape,
    seconds: Number(values.seconds),
    seed: Number(values.seed ?? Math.floor(Math.random() * 1e9)),
    tokens: oneOf('tokens', tokenChoices, values.tokens) ?? scenario?.tokens ?? 'half',
    users: Number(values.users ?? scenario?.users ?? usualUsers[shape]),
    rate: Number(values.rate ?? scenario?.rate ?? 70),
    processes,
    without,
    old: values.old,
    untilViolation: without !== undefined,
    startStores: () => {
      if (shape === 'split') return startSplitStores({ processes });
      return topology === 'single'
        ? startSingle()
        : startStores({ processes, topology, isSynchronous, isAvailable: values.available });
    },
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
