import type { Consistency } from '../consistency/consistency.js';
import type { ConsistencyView, VersionStamp } from '../context/consistency-view.js';
import { currentCall } from '../context/call-context.js';
import type { FeatureName } from '../context/feature-name.js';
import type { CounterSeries } from '../metrics/series.js';
import type { CachedForm } from './cached-form.js';
import type { Entry, MemoryLayer } from './memory-layer.js';
import type { RedisLayer } from './redis-layer.js';

/** Name of a cache, time to live of its entries, and the features whose writes make them stale. */
export interface CacheDefinition {
  /** Label of its metrics; unique. */
  readonly name: string;
  readonly ttlMs: number;
  readonly dependsOn: readonly FeatureName[];
}

/** What a fill results in. */
export interface Filled<V> {
  readonly value: V;
  /** In milliseconds of Unix time, where the value itself ends earlier than the cache would. */
  readonly expiresAt?: number;
}

/** What the caches of a process share. */
export interface CacheParts {
  readonly consistency: Pick<Consistency, 'settle'>;
  readonly memory: MemoryLayer;
  readonly redis: RedisLayer | null;
  readonly isEnabled: boolean;
  /** Whether an entry that was made with the knowledge `stamp` may be used by a call that knows `needed`. */
  isFresh(stamp: VersionStamp, needed: VersionStamp): boolean;
}

/** Look-ups, by the layer that answered. */
export type LookUps = Readonly<Record<'bypass' | 'memory' | 'flight' | 'redis' | 'miss', CounterSeries>>;

/**
 * Values of one kind for users, cached in the process and in Redis. An entry carries the positions that were known before it
 * was made; it is a hit only for a call that knows of nothing later.
 */
export class Cache<V> {
  /** One look-up or fill at a time for the same value to calls that know the same. */
  private readonly flights = new Map<string, Promise<V>>();

  constructor(
    private readonly caches: CacheParts,
    private readonly definition: CacheDefinition,
    private readonly form: CachedForm<V>,
    private readonly lookUps: LookUps,
  ) {}

  /**
   * The value under `key` for the user of this call: a cached one, or what `fill` returns, which is then cached. An error of
   * `fill` is cached for nobody. Consistency: as `Database.read`.
   */
  async through(key: string, fill: () => Promise<Filled<V>>): Promise<V> {
    const { consistency, isEnabled, memory } = this.caches;
    const view = currentCall()?.view ?? null;
    if (!isEnabled || view === null) return (await fill()).value;
    const { dependsOn } = this.definition;
    await consistency.settle(view, dependsOn);
    const stamp = view.versionStampOf(dependsOn);
    if (stamp === null) {
      this.lookUps.bypass.inc();
      return (await fill()).value;
    }
    const id = `${this.definition.name} ${view.userId} ${key}`;
    // The name of the cache is part of the id, so an entry that is found is one of this cache.
    const cached = memory.get(id) as Entry<V> | undefined;
    if (cached !== undefined && this.caches.isFresh(cached.stamp, stamp)) {
      this.lookUps.memory.inc();
      return cached.value;
    }
    return this.shareFlight(`${stamp.join()} ${id}`, () => this.load(id, view, stamp, fill));
  }

  private shareFlight(key: string, load: () => Promise<V>): Promise<V> {
    const running = this.flights.get(key);
    if (running !== undefined) {
      this.lookUps.flight.inc();
      return running;
    }
    const flight = load().finally(() => this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }

  private async load(
    id: string,
    { userId }: ConsistencyView,
    stamp: VersionStamp,
    fill: () => Promise<Filled<V>>,
  ): Promise<V> {
    const { redis } = this.caches;
    const shared = (await redis?.find(userId, id, this.form)) ?? null;
    if (shared !== null && this.caches.isFresh(shared.stamp, stamp)) {
      this.lookUps.redis.inc();
      this.keep(id, userId, shared);
      return shared.value;
    }
    this.lookUps.miss.inc();
    const { value, expiresAt } = await fill();
    const entry = { stamp, value, expiresAt: this.endOf(expiresAt) };
    this.keep(id, userId, entry);
    redis?.store(userId, id, entry, this.form);
    return value;
  }

  private keep(id: string, userId: string, entry: Entry<V>): void {
    const bytes = this.form.sizeOf(entry.value);
    this.caches.memory.set(id, { ...entry, bytes, userId, features: this.definition.dependsOn });
  }

  /** Up to 10 % earlier, so that entries made at the same time do not all expire at the same time. */
  private endOf(expiresAt = Infinity): number {
    const ttlMs = this.definition.ttlMs * (0.9 + Math.random() * 0.1);
    return Math.min(Math.floor(Date.now() + ttlMs), expiresAt);
  }
}
