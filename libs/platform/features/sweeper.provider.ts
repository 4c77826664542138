import type { Provider } from '@nestjs/common';
import { featureName } from '../context/feature-name.js';
import { DatabaseFactory } from '../database/database.js';
import { Metrics } from '../metrics/metrics.js';
import { Sweeper } from '../sweeper/sweeper.js';
import { idempotencySweep, leaseSweep, outboxSweep, type SweepTask } from '../sweeper/sweep-task.js';
import type { FeatureDefinition } from './define-feature.js';

const platform = featureName('platform');

/** The sweeper of all features of a process, and of the platform's own tables. */
export const sweeperProvider = (features: readonly FeatureDefinition[]): Provider => ({
  provide: Sweeper,
  useFactory: (databases: DatabaseFactory, metrics: Metrics) =>
    new Sweeper(
      [{ name: platform, sweeps: [leaseSweep] }, ...features.map(sweepsOf)].map(({ name, sweeps }) => ({
        feature: name,
        database: databases.forFeature(name),
        tasks: sweeps,
      })),
      metrics,
    ),
  inject: [DatabaseFactory, Metrics],
});

function sweepsOf({ name, sweeps, hasOutbox, hasIdempotency }: FeatureDefinition) {
  const all: readonly SweepTask[] = [
    ...sweeps,
    ...(hasIdempotency ? [idempotencySweep(name)] : []),
    ...(hasOutbox ? [outboxSweep(name)] : []),
  ];
  return { name, sweeps: all };
}
