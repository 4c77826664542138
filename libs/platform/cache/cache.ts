import type { Consistency } from '../consistency/consistency.js';
import { currentView, type ConsistencyView, type VersionStamp } from '../context/consistency-view.js';
import { SeriesCounter, type CounterSeries } from '../metrics/series.js';
import type { CachedAnswer, Entry, MemoryLayer } from './memory-layer.js';
import type { RedisLayer } from './redis-layer.js';

const requests = new SeriesCounter({
  name: 'cache_requests_total',
  help: 'Look-ups, by the layer that answered; `flight` is the answer that another request was waiting for; a bypass asks no layer, since the user is being written to or the notes can not be trusted.',
  labelNames: ['cache', 'layer', 'result'],
});

/** What all caches of a process share. */
export interface CacheParts {
  readonly consistency: Consistency;
  readonly memory: MemoryLayer;
  readonly redis: RedisLayer | null;
  readonly isEnabled: boolean;
}

export interface CacheOptions {
  readonly name: string;
  readonly ttlMs: number;
  /** Whose writes outdate an entry. */
  readonly features: readonly string[];
}

export interface Filled extends CachedAnswer {
  /** In milliseconds of Unix time, where the answer itself says when it ends. */
  readonly expiresAt?: number;
}

/**
 * Answers of one kind to users, in the process and in Redis. An entry carries the positions that were known before it
 * was made; it is a hit only for a request that knows of nothing later.
 */
export class Cache {
  /** One look-up or fill at a time for the same answer to requests that know the same. */
  private readonly flights = new Map<string, Promise<CachedAnswer>>();
  /** What look-ups came to. */
  private readonly looked: Readonly<
    Record<'bypass' | 'inMemory' | 'inFlight' | 'inRedis' | 'nowhere', CounterSeries>
  >;

  constructor(
    private readonly caches: CacheParts,
    private readonly options: CacheOptions,
  ) {
    const { name: cache } = options;
    this.looked = {
      bypass: requests.series({ cache, layer: 'none', result: 'bypass' }),
      inMemory: requests.series({ cache, layer: 'memory', result: 'hit' }),
      inFlight: requests.series({ cache, layer: 'flight', result: 'hit' }),
      inRedis: requests.series({ cache, layer: 'redis', result: 'hit' }),
      nowhere: requests.series({ cache, layer: caches.redis === null ? 'memory' : 'redis', result: 'miss' }),
    };
  }

  /**
   * The answer under `key` for the user of this request: a kept one, or what `fill` makes, which is then kept. What
   * `fill` throws is kept for nobody. Consistency: as `Database.read`.
   */
  async through(key: string, fill: () => Promise<Filled>): Promise<CachedAnswer> {
    const { consistency, isEnabled, memory } = this.caches;
    const view = currentView();
    if (!isEnabled || view === undefined) return fill();
    await consistency.settle(view, this.options.features);
    const stamp = view.versionStampOf(this.options.features);
    if (stamp === null) {
      this.looked.bypass.inc();
      return fill();
    }
    const id = `${this.options.name} ${view.userId} ${key}`;
    const kept = memory.get(id);
    if (kept !== undefined && this.isHit(kept, stamp)) {
      this.looked.inMemory.inc();
      return kept.answer;
    }
    return this.fly(`${stamp.join()} ${id}`, () => this.load(id, view, stamp, fill));
  }

  private fly(key: string, load: () => Promise<CachedAnswer>): Promise<CachedAnswer> {
    const running = this.flights.get(key);
    if (running !== undefined) {
      this.looked.inFlight.inc();
      return running;
    }
    const flight = load().finally(() => this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }

  private async load(
    id: string,
    view: ConsistencyView,
    stamp: VersionStamp,
    fill: () => Promise<Filled>,
  ): Promise<CachedAnswer> {
    const { memory, redis } = this.caches;
    const { features } = this.options;
    const { userId } = view;
    const shared = (await redis?.find(userId, id)) ?? null;
    if (shared !== null && this.isHit(shared, stamp)) {
      this.looked.inRedis.inc();
      memory.set(id, { ...shared, userId, features });
      return shared.answer;
    }
    this.looked.nowhere.inc();
    const { expiresAt, ...answer } = await fill();
    const entry = { stamp, answer, expiresAt: this.endOf(expiresAt) };
    memory.set(id, { ...entry, userId, features });
    redis?.store(userId, id, entry);
    return answer;
  }

  private isHit({ stamp }: Entry, needed: VersionStamp): boolean {
    if (!this.caches.consistency.protections.isOn('stamp')) return true;
    return stamp.length === needed.length && needed.every((position, n) => (stamp[n] ?? '') >= position);
  }

  /** Up to a tenth earlier, so that what was made together does not end together. */
  private endOf(expiresAt = Infinity): number {
    const ttlMs = this.options.ttlMs * (0.9 + Math.random() * 0.1);
    return Math.min(Math.floor(Date.now() + ttlMs), expiresAt);
  }
}
