import { Counter, Gauge } from 'prom-client';
import type { Consistency } from '../consistency/consistency.js';
import { registry } from '../metrics/registry.js';
import { Cache, type CacheOptions, type CacheParts } from './cache.js';
import type { MemoryLayer } from './memory-layer.js';
import type { RedisLayer } from './redis-layer.js';

const invalidations = new Counter({
  name: 'cache_invalidations_total',
  help: 'Entries that were dropped early because their user wrote.',
  registers: [registry],
});

/** A process has one. */
let measured: MemoryLayer | null = null;

new Gauge({
  name: 'cache_memory_bytes',
  help: 'Memory that cached answers take in this process.',
  registers: [registry],
  collect() {
    this.set(measured?.bytes ?? 0);
  },
});

/** All caches of a process, which share its memory and Redis. */
export class Caches implements CacheParts {
  constructor(
    readonly consistency: Consistency,
    readonly memory: MemoryLayer,
    readonly redis: RedisLayer | null,
    readonly isEnabled: boolean,
  ) {
    measured = memory;
  }

  named(options: CacheOptions): Cache {
    return new Cache(this, options);
  }

  /** A user wrote: frees the memory of what can no longer be a hit. Nothing depends on its being called. */
  drop(userId: string, feature: string): void {
    const count = this.memory.drop(userId, feature);
    if (count > 0) invalidations.inc(count);
  }
}
