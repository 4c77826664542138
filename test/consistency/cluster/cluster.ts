import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi } from '../../support/api.js';
import { waitFor } from '../../support/wait.js';
import { newBuild, type Build, type Builds } from '../builds/build.js';
import type { Protection } from '../protections/names.js';
import { ApiProcess, type StartOf } from './api-process.js';
import type { ShapeName } from '../shapes/names.js';
import { sharedSettings } from '../../support/shared-settings.js';
import type { Stores } from './stores.js';

export interface Cluster {
  readonly processes: readonly ApiProcess[];
  readonly stores: Stores;
  /** Null: all processes run the same build. */
  readonly builds: Builds | null;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly processes: number;
  /** The protection that is missing. */
  readonly without?: Protection | undefined;
  /** The build that all processes run first; default: there is only the new one. */
  readonly oldBuild?: Build | undefined;
  /** Which features the processes have. */
  readonly shape: ShapeName;
}

const unlimited = '1000000';

/** Several API processes on the same stores, configured alike, as in a deployment. */
export async function startCluster(stores: Stores, options: ClusterOptions): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'task-api-consistency-'));
  const common = await commonEnvironment(folder);
  const program = programOf(options);
  const processes: ApiProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.stop()));
    await stores.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const builds = options.oldBuild === undefined ? null : { old: options.oldBuild, new: newBuild };
  try {
    // One by one, because the first one runs the migrations.
    for (let n = 0; n < options.processes; n += 1) {
      const env = { ...common, TEST_SHAPE: options.shape, ...stores.environment(n) };
      const place = { mailDir: join(folder, 'mail'), program, env };
      const start: StartOf = (build, ports) =>
        startApi({ ...place, ...rootOf(build), ...ports, databaseUrl: stores.primaryUrl('tasks') });
      const serves = (path: string): boolean => stores.serves(n, path);
      processes.push(await ApiProcess.start(`p${n + 1}`, builds?.old ?? null, start, serves));
    }
    return { processes, stores, builds, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const rootOf = (build: Build | null): { readonly root?: string } =>
  build === null ? {} : { root: build.root };

/** The built API, which can crash on a signal and can lack one protection. */
const programOf = ({ without }: ClusterOptions): readonly string[] => [
  '--import',
  './scripts/built-hook.mjs',
  'test/consistency/process/main.ts',
  ...(without === undefined ? [] : [without]),
];

async function commonEnvironment(folder: string): Promise<Readonly<Record<string, string>>> {
  return {
    ...(await sharedSettings(folder)),
    ACCESS_TOKEN_TTL_SECONDS: '3600',
    LOG_LEVEL: 'warn',
    RATE_LIMIT_FREE_POINTS: unlimited,
    RATE_LIMIT_PREMIUM_POINTS: unlimited,
    RATE_LIMIT_ANONYMOUS_POINTS: unlimited,
    RATE_LIMIT_CREDENTIALS_POINTS: unlimited,
  };
}

export async function untilReady({ processes }: Pick<Cluster, 'processes'>): Promise<void> {
  for (const { opsUrl, name } of processes) {
    const isReady = async (): Promise<boolean> => (await fetch(`${opsUrl}/readyz`)).ok;
    await waitFor(isReady, { timeoutMs: 60_000, what: `the readiness of ${name}` });
  }
}

/** Caches and replicas must be in use again soon after all faults have ended. Without Redis they are never used. */
export async function untilTrusted({ processes, stores }: Cluster): Promise<void> {
  if (stores.redis === null) return;
  for (const { opsUrl, name } of processes) {
    const isTrusted = async (): Promise<boolean> =>
      /^consistency_trusted 1$/m.test(await (await fetch(`${opsUrl}/metrics`)).text());
    await waitFor(isTrusted, { timeoutMs: 10_000, what: `the trust of ${name} in its caches` });
  }
}
