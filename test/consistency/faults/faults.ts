import type { Cluster } from '../cluster/cluster.js';
import type { Fault } from './nemesis.js';
import { primaryFaults, replicaFaults } from './postgres-faults.js';
import { processFaults } from './process-faults.js';
import { pathFaults, redisFaults } from './redis-faults.js';

/** All faults of the cluster, or those with one of these words in their names. */
export function faultsOf({ processes, stores }: Cluster, words?: readonly string[]): readonly Fault[] {
  const { databases, redis } = stores;
  const all = [
    ...processFaults(processes),
    ...(redis === null ? [] : [...redisFaults(redis, processes), ...pathFaults(redis, processes)]),
    ...(databases === null ? [] : [...replicaFaults(databases), ...primaryFaults(databases)]),
  ];
  if (words === undefined) return all;
  const chosen = all.filter(({ name }) => words.some((word) => name.includes(word)));
  if (chosen.length === 0) {
    throw new Error(`None of the faults is called so: ${all.map(({ name }) => name).join(', ')}.`);
  }
  return chosen;
}
