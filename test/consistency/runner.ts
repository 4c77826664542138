import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from './clients/caller.js';
import { check } from './checker/checker.js';
import { startCluster, untilReady, untilTrusted, type Cluster } from './cluster/cluster.js';
import { readFinally } from './clients/final-read.js';
import { History } from './checker/history.js';
import { Nemesis, usualPace, type Fault, type Pace } from './faults/nemesis.js';
import type { Protection } from './protections/names.js';
import { Random } from './random.js';
import type { Stores } from './cluster/stores.js';
import type { Violation } from './checker/violations.js';
import { Workload, type WorkloadOptions } from './clients/workload.js';

export interface RunOptions extends WorkloadOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly processes: number;
  readonly without?: Protection | undefined;
  readonly pace?: Pace;
  /** Ends as soon as there is a violation. */
  readonly untilViolation?: boolean;
  startStores(): Promise<Stores>;
  /** The faults that the run may apply. */
  chooseFaults(cluster: Cluster): readonly Fault[];
  log(line: string): void;
}

export interface Run {
  readonly history: History;
  readonly violations: readonly Violation[];
  readonly faults: ReadonlyMap<string, number>;
  /** When the clients began, by the clock of the history. */
  readonly beganAt: number;
  /** The metrics of each process at the end. */
  readonly metrics: readonly string[];
  /** The output of each process since its last start. */
  readonly logs: readonly string[];
}

/** Starts everything, runs clients and faults, ends all faults, reads all data and checks the history. */
export async function run(options: RunOptions): Promise<Run> {
  const { seed, log } = options;
  const cluster = await startCluster(await options.startStores(), options);
  try {
    const faults = options.chooseFaults(cluster);
    const nemesis = new Nemesis(faults, new Random(seed), options.pace ?? usualPace, log);
    const history = new History(nemesis.underWay);
    const workload = new Workload(options, seed, new Caller(history), cluster.processes);
    await workload.prepare();
    log(`${workload.actors.length} clients of ${options.users} users are logged in`);
    const beganAt = performance.now();
    const resultOf = async (violations: readonly Violation[]): Promise<Run> => {
      const metrics = await metricsOf(cluster);
      const logs = cluster.processes.map((process) => process.logs());
      return { history, violations, faults: nemesis.counts, beganAt, metrics, logs };
    };
    await disturb(workload, nemesis, history, options);
    const early = options.untilViolation === true ? check(history.operations()) : [];
    if (early.length > 0) return await resultOf(early);
    await untilReady(cluster);
    await untilTrusted(cluster);
    log('all is healed: the final read');
    await readFinally(history, workload.actors, cluster.processes, cluster.stores.primaryUrl());
    return await resultOf(check(history.operations()));
  } finally {
    await cluster.stop();
  }
}

async function disturb(
  workload: Workload,
  nemesis: Nemesis,
  history: History,
  { seconds, untilViolation }: RunOptions,
): Promise<void> {
  const end = new AbortController();
  const deadline = performance.now() + seconds * 1000;
  const work = Promise.all([workload.run(end.signal), nemesis.run(end.signal)]);
  // It is awaited below.
  work.catch(() => end.abort());
  while (performance.now() < deadline && !end.signal.aborted) {
    await sleep(Math.min(2000, deadline - performance.now()));
    if (untilViolation === true && check(history.operations()).length > 0) break;
  }
  end.abort();
  await work;
}

async function metricsOf({ processes }: Cluster): Promise<readonly string[]> {
  return Promise.all(
    processes.map(({ opsUrl }) =>
      fetch(`${opsUrl}/metrics`).then(
        (response) => response.text(),
        () => '',
      ),
    ),
  );
}
