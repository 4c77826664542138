import type { Build, Builds } from '../builds/build.js';
import type { ApiProcess } from '../cluster/api-process.js';
import type { Fault } from './nemesis.js';

/** Together, the changes of all processes are nearly as frequent as all other faults. */
const totalWeight = 14;

/**
 * Restarts of a process from the other build, as in a rolling update and its rollback. Each build keeps at least one process,
 * so that both run side by side all the time.
 */
export function buildFaults(processes: readonly ApiProcess[], builds: Builds): readonly Fault[] {
  const weight = totalWeight / processes.length;
  return processes.flatMap((process) => [
    ...restarts(`upgrade ${process.name}`, { process, to: builds.new, processes, weight }),
    ...restarts(`roll back ${process.name}`, { process, to: builds.old, processes, weight }),
  ]);
}

interface Change {
  readonly process: ApiProcess;
  readonly to: Build;
  readonly processes: readonly ApiProcess[];
  /** Of both ways to end the process. */
  readonly weight: number;
}

function restarts(name: string, { process, to, processes, weight }: Change): readonly Fault[] {
  const others = processes.filter((other) => other !== process);
  const common = {
    touches: [process.name, 'start'],
    holdMs: [0, 500],
    isPossible: () => process.build !== to && others.some(({ build }) => build !== to),
    heal: () => process.restart(to),
  } as const;
  return [
    { ...common, name, weight: 0.75 * weight, apply: () => process.end() },
    { ...common, name: `${name} after kill -9`, weight: 0.25 * weight, apply: () => process.kill() },
  ];
}
