import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from './clients/caller.js';
import type { Build } from './builds/build.js';
import { prepareOldBuild, previousRef } from './builds/old-build.js';
import { startCluster, untilReady, untilTrusted, type Cluster } from './cluster/cluster.js';
import { beginUpdate, changeAll } from './cluster/rolling-update.js';
import { History } from './checker/history.js';
import { Nemesis, usualPace, type Fault, type Pace } from './faults/nemesis.js';
import type { Protection } from './protections/names.js';
import { Random } from './random.js';
import type { Stores } from './cluster/stores.js';
import type { Violation } from './checker/violations.js';
import type { WorkloadOptions } from './clients/workload.js';
import type { ShapeName } from './shapes/names.js';
import { shapes, type Clients, type Servers } from './shapes/shapes.js';

export interface RunOptions extends WorkloadOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly processes: number;
  /** Default: `tasks`. */
  readonly shape?: ShapeName;
  readonly without?: Protection | undefined;
  /** Commit of an old build: a rolling update and rollbacks happen during the run. `previous`: see `previousRef`. */
  readonly old?: string | undefined;
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
  const { seed, log, shape: name = 'tasks' } = options;
  const shape = shapes[name];
  const oldBuild = await oldBuildOf(options);
  const cluster = await startCluster(await options.startStores(), { ...options, shape: name, oldBuild });
  try {
    const faults = options.chooseFaults(cluster);
    const nemesis = new Nemesis(faults, new Random(seed), options.pace ?? usualPace, log);
    const history = new History(nemesis.underWay);
    const { clients, readFinally } = shape.clients(options, seed, new Caller(history), cluster.processes);
    await clients.prepare();
    log(`${clients.actors.length} clients of ${options.users} users are logged in`);
    const beganAt = performance.now();
    const resultOf = async (violations: readonly Violation[]): Promise<Run> => {
      const metrics = await metricsOf(cluster);
      const logs = cluster.processes.map((process) => process.logs());
      return { history, violations, faults: nemesis.counts, beganAt, metrics, logs };
    };
    const check = () => shape.check(history.operations());
    const update = (): Promise<void> => beginUpdate(cluster);
    await disturb(clients, { nemesis, update }, options, check);
    const early = options.untilViolation === true ? check() : [];
    if (early.length > 0) return await resultOf(early);
    log('all is healed');
    await readAtTheEnd(cluster, (servers) => readFinally(history, servers), log);
    return await resultOf(check());
  } finally {
    await cluster.stop();
  }
}

/** With an old build: once all processes run the new one, and once after the rollback of all. */
async function readAtTheEnd(
  cluster: Cluster,
  read: (servers: Servers) => Promise<void>,
  log: RunOptions['log'],
): Promise<void> {
  const { builds, processes, stores } = cluster;
  for (const build of builds === null ? [null] : [builds.new, builds.old]) {
    if (build !== null) await changeAll(cluster, build);
    await untilReady(cluster);
    await untilTrusted(cluster);
    log(build === null ? 'the final read' : `the final read with the ${build.name} build`);
    await read({ processes, primaryUrl: (feature) => stores.primaryUrl(feature) });
  }
}

async function oldBuildOf({ old, log }: RunOptions): Promise<Build | undefined> {
  if (old === undefined) return undefined;
  const build = await prepareOldBuild(old === 'previous' ? await previousRef() : old);
  log(`the old build is in ${build.root}`);
  return build;
}

async function disturb(
  clients: Clients,
  { nemesis, update }: { readonly nemesis: Nemesis; update(): Promise<void> },
  { seconds, untilViolation }: RunOptions,
  check: () => readonly Violation[],
): Promise<void> {
  const end = new AbortController();
  const deadline = performance.now() + seconds * 1000;
  const changes = update().then(() => nemesis.run(end.signal));
  const work = Promise.all([clients.run(end.signal), changes]);
  // It is awaited below.
  work.catch(() => end.abort());
  while (performance.now() < deadline && !end.signal.aborted) {
    await sleep(Math.min(2000, deadline - performance.now()));
    if (untilViolation === true && check().length > 0) break;
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
