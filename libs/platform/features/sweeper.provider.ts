import type { Provider } from '@nestjs/common';
import { featureName, type FeatureName } from '../context/feature-name.js';
import { DatabaseFactory } from '../database/database.js';
import type { Outbox } from '../events/outbox.js';
import { Metrics } from '../metrics/metrics.js';
import { Sweeper } from '../sweeper/sweeper.js';
import {
  idempotencySweep,
  inboxSweeps,
  leaseSweep,
  outboxSweep,
  type SweepTask,
} from '../sweeper/sweep-task.js';
import type { FeatureDefinition } from './define-feature.js';

const platform = featureName('platform');

/** By feature. */
export type Outboxes = ReadonlyMap<FeatureName, Outbox>;

/** The sweeper of all features of a process, and of the platform's own tables. */
export const sweeperProvider = (features: readonly FeatureDefinition[], outboxes: Outboxes): Provider => ({
  provide: Sweeper,
  useFactory: (databases: DatabaseFactory, metrics: Metrics) =>
    new Sweeper(
      [{ name: platform, sweeps: [leaseSweep], fills: [] }, ...features.map(sweepsOf)].map(
        ({ name, sweeps, fills }) => ({
          feature: name,
          database: databases.forFeature(name),
          outbox: outboxes.get(name),
          tasks: sweeps,
          fills,
        }),
      ),
      metrics,
    ),
  inject: [DatabaseFactory, Metrics],
});

function sweepsOf({ name, sweeps, fills, hasOutbox, hasIdempotency, consumers }: FeatureDefinition) {
  const all: readonly SweepTask[] = [
    ...sweeps,
    ...(hasIdempotency ? [idempotencySweep(name)] : []),
    ...(hasOutbox ? [outboxSweep(name)] : []),
    ...(consumers.length > 0 ? inboxSweeps(name) : []),
  ];
  return { name, sweeps: all, fills };
}
