import type { Consistency } from '../consistency/consistency.js';
import type { ConsistencyView, VersionStamp } from '../context/consistency-view.js';
import type { Answered } from '../context/answered.js';
import { currentCall, type CallContext } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import type { FeatureName } from '../context/feature-name.js';
import type { Scope } from '../context/scope.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import type { CounterSeries } from '../metrics/series.js';
import type { AskedKeys } from './asked-keys.js';
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
export interface Filled<V> extends Answered<V> {
  /** In milliseconds of Unix time, where the value itself ends earlier than the cache would. */
  readonly expiresAt?: number;
  /** What the value turned out to depend on. It is not cached if that is more than the scopes of the look-up. */
  readonly scopes?: readonly Scope[];
}

/** What the caches of a process share. */
export interface CacheParts {
  readonly consistency: Pick<Consistency, 'prepare' | 'isOwn'>;
  readonly memory: MemoryLayer;
  readonly redis: RedisLayer | null;
  readonly asked: AskedKeys;
  readonly isEnabled: boolean;
  /** Whether an entry that was made with the knowledge `stamp` may be used by a call that knows `needed`. */
  isFresh(stamp: VersionStamp, needed: VersionStamp): boolean;
}

/** Look-ups, by the layer that answered. */
export type LookUps = Readonly<Record<'bypass' | 'memory' | 'flight' | 'redis' | 'miss', CounterSeries>>;

export interface ThroughOptions {
  /**
   * What the value depends on; default: the view of the user of this call. A value that users share says so, and must be given
   * only to those for whom a check that depends on their own scope allows it.
   */
  readonly scopes?: readonly [Scope, ...Scope[]];
  /**
   * There are any number of such keys, and most are asked for once, as the second page of a list. When this process is asked for
   * the key for the first time, it does not look for it in Redis and stores nothing: that would cost more than it saves.
   */
  readonly isRare?: boolean;
}

/** One look-up in a cache. */
interface LookUp {
  /** Name of the cache, its first scope and the key. */
  readonly id: string;
  /** The first one keeps the entry: it is in the slot of that scope in a Redis Cluster. */
  readonly scopes: readonly [Scope, ...Scope[]];
  readonly stamp: VersionStamp;
  readonly isRare: boolean;
}

/**
 * Values of one kind, cached in the process and in Redis. An entry carries the positions that were known before it was made;
 * it is a hit only for a call that knows of nothing later.
 */
export class Cache<V> {
  /** One look-up or fill at a time for the same value to calls that know the same. */
  private readonly flights = new Map<
    string,
    { readonly value: Promise<V>; readonly call: CallContext | undefined }
  >();

  constructor(
    private readonly caches: CacheParts,
    private readonly definition: CacheDefinition,
    private readonly form: CachedForm<V>,
    private readonly lookUps: LookUps,
  ) {}

  /**
   * The value under `key`: a cached one, or what `fill` returns, which is then cached. An error of `fill` is cached for
   * nobody. Consistency: as `Database.read`.
   */
  through(
    key: string,
    fill: () => Promise<Filled<V>>,
    { scopes, isRare = false }: ThroughOptions = {},
  ): V | Promise<V> {
    const view = currentCall()?.view ?? null;
    if (!this.caches.isEnabled || view === null) return valueOf(fill());
    const of = scopes ?? view.scopes;
    const preparing = this.caches.consistency.prepare(view, this.definition.dependsOn, of);
    const lookUp = () => this.lookUp(this.lookUpOf(view, key, of, isRare), fill);
    return preparing === null ? lookUp() : preparing.then(lookUp);
  }

  /** At once where the entry is in the process. */
  private lookUp(lookUp: LookUp | null, fill: () => Promise<Filled<V>>): V | Promise<V> {
    if (lookUp === null) {
      this.lookUps.bypass.inc();
      return valueOf(fill());
    }
    // The name of the cache is part of the id, so an entry that is found is one of this cache.
    const cached = this.caches.memory.get(lookUp.id) as Entry<V> | undefined;
    if (cached !== undefined && this.caches.isFresh(cached.stamp, lookUp.stamp)) {
      this.lookUps.memory.inc();
      return cached.value;
    }
    return this.shareFlight(`${lookUp.stamp.join()} ${lookUp.id}`, () => this.load(lookUp, fill));
  }

  /** Null where nothing may be taken from a cache. */
  private lookUpOf(
    view: ConsistencyView,
    key: string,
    scopes: readonly [Scope, ...Scope[]],
    isRare: boolean,
  ): LookUp | null {
    const { name, dependsOn } = this.definition;
    const stamp = view.versionStampOf(dependsOn, scopes);
    return stamp && { id: `${name} ${scopes[0]} ${key}`, scopes, stamp, isRare };
  }

  private shareFlight(key: string, load: () => Promise<V>): Promise<V> {
    const call = currentCall();
    const running = this.flights.get(key);
    if (running !== undefined) {
      this.lookUps.flight.inc();
      const deadline = call?.deadline ?? Deadline.none;
      return deadline.limit(running.value).then(
        (value) => {
          if (running.call?.isBestEffort === true && call !== undefined) call.isBestEffort = true;
          return value;
        },
        (error: unknown) => {
          // The time of the call that the flight runs for is over, not that of this one.
          if (!(error instanceof DeadlineExceeded) || deadline.isExpired) throw error;
          return load();
        },
      );
    }
    const value = load().finally(() => this.flights.delete(key));
    this.flights.set(key, { value, call });
    return value;
  }

  private async load(lookUp: LookUp, fill: () => Promise<Filled<V>>): Promise<V> {
    const { id, scopes, stamp, isRare } = lookUp;
    const { redis, asked } = this.caches;
    const isRepeated = !isRare || asked.ask(id);
    const shared = (isRepeated && (await redis?.find(scopes[0], id, this.form))) || null;
    if (shared !== null && this.caches.isFresh(shared.stamp, stamp)) {
      this.lookUps.redis.inc();
      this.keep(lookUp, shared);
      return shared.value;
    }
    this.lookUps.miss.inc();
    const filled = await fill();
    const entry = isRepeated && this.mayKeep(scopes) ? this.entryOf(lookUp, filled) : null;
    if (entry !== null) {
      this.keep(lookUp, entry);
      redis?.store(scopes[0], id, entry, this.form);
    }
    return filled.value;
  }

  /** Not where a read of the call came from where it is not known which writes are under way, or while a commit waits. */
  private mayKeep(scopes: readonly Scope[]): boolean {
    const { dependsOn } = this.definition;
    const view = currentCall()?.view ?? null;
    return view !== null && view.mayFill(dependsOn) && view.versionStampOf(dependsOn, scopes) !== null;
  }

  /** Null where the value must not be cached. */
  private entryOf({ scopes, stamp }: LookUp, filled: Filled<V>): Entry<V> | null {
    const isRemote = !this.definition.dependsOn.every((feature) => this.caches.consistency.isOwn(feature));
    // What its owner knew counts: the owner may have known less than this process.
    const known = isRemote ? (filled.stamp ?? null) : stamp;
    const isWhole = filled.scopes?.every((scope) => scopes.includes(scope)) ?? true;
    if (known === null || !isWhole) return null;
    return { stamp: known, value: filled.value, expiresAt: this.endOf(filled.expiresAt) };
  }

  private keep({ id, scopes: [scope] }: LookUp, entry: Entry<V>): void {
    const bytes = this.form.sizeOf(entry.value);
    this.caches.memory.set(id, { ...entry, bytes, scope, features: this.definition.dependsOn });
  }

  /** Up to 10 % earlier, so that entries made at the same time do not all expire at the same time. */
  private endOf(expiresAt = Infinity): number {
    const ttlMs = this.definition.ttlMs * (0.9 + Math.random() * 0.1);
    return Math.min(Math.floor(Date.now() + ttlMs), expiresAt);
  }
}

const valueOf = async <V>(filling: Promise<Filled<V>>): Promise<V> => (await filling).value;
