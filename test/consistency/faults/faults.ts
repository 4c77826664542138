import type { Cluster } from '../cluster/cluster.js';
import { buildFaults } from './build-faults.js';
import type { Fault } from './nemesis.js';
import { primaryFaults, replicaFaults } from './postgres-faults.js';
import { processFaults } from './process-faults.js';
import { pathFaults, redisFaults } from './redis-faults.js';

/**
 * All faults of the cluster, or those with one of these words in their names. With an old build there are always upgrades and
 * rollbacks.
 */
export function faultsOf(
  { processes, stores, builds }: Cluster,
  words?: readonly string[],
): readonly Fault[] {
  const { databases, redis } = stores;
  const changes = builds === null ? [] : buildFaults(processes, builds);
  const all = [
    ...changes,
    ...processFaults(processes),
    ...(redis === null ? [] : [...redisFaults(redis, processes), ...pathFaults(redis, processes)]),
    ...databases.flatMap((each) => [...replicaFaults(each), ...primaryFaults(each)]),
  ];
  if (words === undefined) return all;
  if (words.length === 0) return [];
  const chosen = all.filter(({ name }) => words.some((word) => name.includes(word)));
  if (chosen.length === 0) {
    throw new Error(`None of the faults is called so: ${all.map(({ name }) => name).join(', ')}.`);
  }
  return chosen.some((fault) => changes.includes(fault)) ? chosen : [...chosen, ...changes];
}
