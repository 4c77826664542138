import { runApp } from '../../support/run.js';
import type { Build } from '../builds/build.js';
import type { Cluster } from './cluster.js';

/**
 * Begins a rolling update while clients call the old build: first the migrations of the new build, then one process of it.
 * Without an old build it does nothing.
 */
export async function beginUpdate({ builds, processes, stores }: Cluster): Promise<void> {
  if (builds === null) return;
  const env = { DATABASE_URL: stores.primaryUrl('tasks'), LOG_LEVEL: 'warn' };
  const { code, output } = await runApp('migrate', [], env, { root: builds.new.root });
  if (code !== 0) throw new Error(`The migrations of the new build failed:\n${output}`);
  const last = processes.at(-1);
  await last?.end();
  await last?.restart(builds.new);
}

/** Replaces all processes that run another build, one after the other. */
export async function changeAll({ processes }: Cluster, build: Build): Promise<void> {
  for (const process of processes) {
    if (process.build === build) continue;
    await process.end();
    await process.restart(build);
  }
}
