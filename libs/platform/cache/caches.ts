import type { z } from 'zod';
import type { Consistency } from '../consistency/consistency.js';
import type { VersionStamp } from '../context/consistency-view.js';
import type { Scope } from '../context/scope.js';
import type { Metrics } from '../metrics/metrics.js';
import type { CounterSeries, SeriesCounter } from '../metrics/series.js';
import { isAtLeast } from '../positions/position.js';
import { AskedKeys } from './asked-keys.js';
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
  readonly asked = new AskedKeys();
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
      help: 'Look-ups, by the layer that answered. `flight`: shared the answer that another request was waiting for. A bypass asks no layer, because what it depends on is being written or the last-write positions can not be trusted.',
      labelNames: ['cache', 'layer', 'result'],
    });
    this.invalidations = metrics
      .counter({
        name: 'cache_invalidations_total',
        help: 'Entries that were removed early because what they depend on was written.',
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

  /** A cache of answers of that schema, ready to send. */
  serialized<S extends z.ZodType>(definition: CacheDefinition, schema: S): Cache<Serialized<z.input<S>>> {
    return new Cache(this, definition, serializedForm(schema), this.lookUpsOf(definition));
  }

  isFresh(stamp: VersionStamp, needed: VersionStamp): boolean {
    return (
      stamp.length === needed.length && needed.every((position, n) => isAtLeast(stamp[n] ?? '', position))
    );
  }

  /** After a write to the scope: removes entries that can no longer be hits. It only frees memory; correctness does not depend on it. */
  drop(scope: Scope, feature: string): void {
    const count = this.memory.drop(scope, feature);
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
