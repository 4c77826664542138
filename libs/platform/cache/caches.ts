import type { z } from 'zod';
import type { Consistency } from '../consistency/consistency.js';
import type { VersionStamp } from '../context/consistency-view.js';
import type { Metrics } from '../metrics/metrics.js';
import type { CounterSeries, SeriesCounter } from '../metrics/series.js';
import { Cache, type CacheDefinition, type CacheParts, type LookUps } from './cache.js';
import { serializedForm, valueForm } from './cached-form.js';
import type { MemoryLayer } from './memory-layer.js';
import type { RedisLayer } from './redis-layer.js';
import type { Serialized } from './serialized.js';

export interface CachesOptions {
  readonly consistency: Consistency;
  readonly memory: MemoryLayer;
  /** Null without Redis. */
  readonly redis: RedisLayer | null;
  readonly isEnabled: boolean;
  readonly metrics: Metrics;
}

/** All caches of a process, which share its memory and Redis. There are two kinds: values, and answers ready to send. */
export class Caches implements CacheParts {
  readonly consistency: Consistency;
  readonly memory: MemoryLayer;
  readonly redis: RedisLayer | null;
  readonly isEnabled: boolean;
  private readonly requests: SeriesCounter<'cache' | 'layer' | 'result'>;
  private readonly invalidations: CounterSeries;

  constructor({ consistency, memory, redis, isEnabled, metrics }: CachesOptions) {
    this.consistency = consistency;
    this.memory = memory;
    this.redis = redis;
    this.isEnabled = isEnabled;
    this.requests = metrics.counter({
      name: 'cache_requests_total',
      help: 'Look-ups, by the layer that answered. `flight`: shared the answer that another request was waiting for. A bypass asks no layer, because the user is being written to or the last-write positions can not be trusted.',
      labelNames: ['cache', 'layer', 'result'],
    });
    this.invalidations = metrics
      .counter({
        name: 'cache_invalidations_total',
        help: 'Entries that were removed early because their user wrote.',
      })
      .series({});
    metrics.gauge({
      name: 'cache_memory_bytes',
      help: 'Memory of the cache in this process.',
      collect() {
        this.set(memory.bytes);
      },
    });
  }

  /** A cache of values, which are stored as JSON by their schema. */
  values<S extends z.ZodType>(definition: CacheDefinition, schema: S): Cache<z.input<S>> {
    return new Cache(this, definition, valueForm(schema), this.lookUpsOf(definition));
  }

  /** A cache of answers that are ready to send. */
  serialized<T>(definition: CacheDefinition): Cache<Serialized<T>> {
    return new Cache(this, definition, serializedForm<T>(), this.lookUpsOf(definition));
  }

  /** Whether an entry that was made with the knowledge `stamp` may be used by a call that knows `needed`. */
  isFresh(stamp: VersionStamp, needed: VersionStamp): boolean {
    return stamp.length === needed.length && needed.every((position, n) => (stamp[n] ?? '') >= position);
  }

  /** After a user's write: removes entries that can no longer be hits. It only frees memory; correctness does not depend on it. */
  drop(userId: string, feature: string): void {
    const count = this.memory.drop(userId, feature);
    if (count > 0) this.invalidations.inc(count);
  }

  private lookUpsOf({ name: cache }: CacheDefinition): LookUps {
    const { requests, redis } = this;
    return {
      bypass: requests.series({ cache, layer: 'none', result: 'bypass' }),
      memory: requests.series({ cache, layer: 'memory', result: 'hit' }),
      flight: requests.series({ cache, layer: 'flight', result: 'hit' }),
      redis: requests.series({ cache, layer: 'redis', result: 'hit' }),
      miss: requests.series({ cache, layer: redis === null ? 'memory' : 'redis', result: 'miss' }),
    };
  }
}
