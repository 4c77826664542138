import { Counter } from 'prom-client';
import type { Consistency } from '../consistency/consistency.js';
import { currentView, type RequestView, type Stamp } from '../consistency/request-view.js';
import { registry } from '../operations/registry.js';
import type { CachedAnswer, Entry, MemoryLayer } from './memory-layer.js';
import type { RedisLayer } from './redis-layer.js';

const requests = new Counter({
  name: 'cache_requests_total',
  help: 'Look-ups, by the layer that answered; `flight` is the answer that another request was waiting for; a bypass asks no layer, since the user is being written to or the notes can not be trusted.',
  labelNames: ['cache', 'layer', 'result'],
  registers: [registry],
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

  constructor(
    private readonly caches: CacheParts,
    private readonly options: CacheOptions,
  ) {
    for (const [layer, result] of this.outcomes()) requests.inc({ cache: options.name, layer, result }, 0);
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
    const stamp = view.stampOf(this.options.features);
    if (stamp === null) {
      this.count('none', 'bypass');
      return fill();
    }
    const id = `${this.options.name} ${view.userId} ${key}`;
    const kept = memory.get(id);
    if (kept !== undefined && this.isHit(kept, stamp)) {
      this.count('memory', 'hit');
      return kept.answer;
    }
    return this.fly(`${stamp.join()} ${id}`, () => this.load(id, view, stamp, fill));
  }

  private fly(key: string, load: () => Promise<CachedAnswer>): Promise<CachedAnswer> {
    const running = this.flights.get(key);
    if (running !== undefined) {
      this.count('flight', 'hit');
      return running;
    }
    const flight = load().finally(() => this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }

  private async load(
    id: string,
    view: RequestView,
    stamp: Stamp,
    fill: () => Promise<Filled>,
  ): Promise<CachedAnswer> {
    const { memory, redis } = this.caches;
    const { features } = this.options;
    const { userId } = view;
    const shared = (await redis?.find(userId, id)) ?? null;
    if (shared !== null && this.isHit(shared, stamp)) {
      this.count('redis', 'hit');
      memory.set(id, { ...shared, userId, features });
      return shared.answer;
    }
    this.count(redis === null ? 'memory' : 'redis', 'miss');
    const { expiresAt, ...answer } = await fill();
    const entry = { stamp, answer, expiresAt: this.endOf(expiresAt) };
    memory.set(id, { ...entry, userId, features });
    redis?.store(userId, id, entry);
    return answer;
  }

  private isHit({ stamp }: Entry, needed: Stamp): boolean {
    if (!this.caches.consistency.protections.isOn('stamp')) return true;
    return stamp.length === needed.length && needed.every((position, n) => (stamp[n] ?? '') >= position);
  }

  /** Up to a tenth earlier, so that what was made together does not end together. */
  private endOf(expiresAt = Infinity): number {
    const ttlMs = this.options.ttlMs * (0.9 + Math.random() * 0.1);
    return Math.min(Math.floor(Date.now() + ttlMs), expiresAt);
  }

  /** All that there can be, so that zero is a series from the start. */
  private outcomes(): readonly (readonly [layer: string, result: string])[] {
    const { isEnabled, redis } = this.caches;
    if (!isEnabled) return [];
    const own = [
      ['none', 'bypass'],
      ['memory', 'hit'],
      ['flight', 'hit'],
    ] as const;
    return redis === null ? [...own, ['memory', 'miss']] : [...own, ['redis', 'hit'], ['redis', 'miss']];
  }

  private count(layer: string, result: string): void {
    requests.inc({ cache: this.options.name, layer, result });
  }
}
