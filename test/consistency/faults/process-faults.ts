import type { ApiProcess } from '../cluster/api-process.js';
import { instantly, type Fault } from './nemesis.js';

/** Faults of one API process. */
export function processFaults(processes: readonly ApiProcess[]): readonly Fault[] {
  const weight = 1 / processes.length;
  return processes.flatMap((process) => [
    {
      name: `stop ${process.name}`,
      weight,
      touches: [process.name],
      holdMs: [3000, 10_000],
      apply: instantly(() => process.freeze()),
      heal: instantly(() => process.thaw()),
    },
    {
      name: `kill ${process.name}`,
      weight,
      touches: [process.name, 'start'],
      holdMs: [500, 3000],
      apply: () => process.kill(),
      heal: () => process.restart(),
    },
    {
      name: `crash after COMMIT in ${process.name}`,
      weight,
      touches: [process.name, 'start'],
      holdMs: [500, 2000],
      apply: async () => {
        process.crashInNextWrite();
        await process.crashed(3000);
      },
      heal: () => process.restart(),
    },
  ]);
}
