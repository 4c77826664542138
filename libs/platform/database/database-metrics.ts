import type { Metrics } from '../metrics/metrics.js';
import type { CounterSeries } from '../metrics/series.js';

/** Why a read fell back from a replica. `none`: no replica could serve it. */
export type FallbackReason = 'lag' | 'conflict' | 'error' | 'none';

/** Which servers the reads of a process went to. */
export class DatabaseMetrics {
  readonly reads: Readonly<Record<'primary' | 'replica', CounterSeries>>;
  readonly fallbacks: Readonly<Record<FallbackReason, CounterSeries>>;
  readonly withoutPrimary: Readonly<Record<'strict' | 'available', CounterSeries>>;

  constructor(metrics: Metrics) {
    const reads = metrics.counter({
      name: 'db_reads_total',
      help: 'Reads, by what the server was that served them.',
      labelNames: ['db_target'],
    });
    const fallbacks = metrics.counter({
      name: 'db_replica_fallback_total',
      help: 'Reads that a replica could have served, but that went to another server.',
      labelNames: ['reason'],
    });
    const withoutPrimary = metrics.counter({
      name: 'db_reads_without_primary_total',
      help: 'Reads that replicas answered while no primary did: with everything that was acknowledged (`strict`), or with what the most recent one has (`available`).',
      labelNames: ['guarantee'],
    });
    this.withoutPrimary = {
      strict: withoutPrimary.series({ guarantee: 'strict' }),
      available: withoutPrimary.series({ guarantee: 'available' }),
    };
    this.reads = {
      primary: reads.series({ db_target: 'primary' }),
      replica: reads.series({ db_target: 'replica' }),
    };
    this.fallbacks = {
      lag: fallbacks.series({ reason: 'lag' }),
      conflict: fallbacks.series({ reason: 'conflict' }),
      error: fallbacks.series({ reason: 'error' }),
      none: fallbacks.series({ reason: 'none' }),
    };
  }
}
