import { LRUCache } from 'lru-cache';
import type { LastWrite, LastWrites, WriteIntent } from '../context/last-write.js';
import type { Scope } from '../context/scope.js';
import { isAtLeast, isSameDatabase, type Position } from '../positions/position.js';
import {
  ConsistencyStore,
  intentTtlMs,
  type Beginning,
  type Limit,
  type LimitRecord,
  type Question,
} from './consistency-store.port.js';
import type { LocalLimits } from './local-limits.js';

interface ScopeWrites {
  readonly positions: Map<string, Position>;
  /** By id: the feature, and until when the intent counts. */
  readonly intents: Map<string, { readonly feature: string; readonly until: number }>;
}

/** An evicted scope is unknown again, which costs one query to the primary. */
const maxStoredScopes = 50_000;

/** The embedded driver: keeps everything in this process, for a service that is one process. */
export class MemoryConsistencyStore extends ConsistencyStore {
  readonly isShared = false;
  readonly isUp = true;
  readonly epoch = 0;
  readonly readTimeoutMs = 1000;
  readonly upSince = performance.now();
  private readonly scopes = new LRUCache<Scope, ScopeWrites>({ max: maxStoredScopes });

  constructor(
    private readonly limits: LocalLimits,
    private readonly onWrite: (scope: Scope, feature: string) => void,
  ) {
    super();
  }

  onChange(): void {
    // It is always available.
  }

  untilUp(): Promise<boolean> {
    return Promise.resolve(true);
  }

  begin(limit: Limit, cost: number, { scopes, intent }: Question): Promise<Beginning> {
    const record = this.limits.count(limit, cost);
    const lastWrites = this.lastWritesOf(scopes);
    if (intent !== null && record.blockedMs === 0) this.setIntent(intent);
    return Promise.resolve({ limit: record, lastWrites });
  }

  count(limit: Limit, cost: number): Promise<LimitRecord> {
    return Promise.resolve(this.limits.count(limit, cost));
  }

  refund(key: string, cost: number): Promise<void> {
    this.limits.refund(key, cost);
    return Promise.resolve();
  }

  ask(scopes: readonly Scope[]): Promise<ReadonlyMap<Scope, LastWrites>> {
    return Promise.resolve(this.lastWritesOf(scopes));
  }

  announce(intents: readonly WriteIntent[]): Promise<void> {
    for (const intent of intents) this.setIntent(intent);
    return Promise.resolve();
  }

  finish(intents: readonly WriteIntent[], position: Position | null): Promise<void> {
    for (const { scope, feature, id } of intents) {
      const { positions, intents: open } = this.of(scope);
      open.delete(id);
      if (position === null) continue;
      if (!isAtLeast(positions.get(feature) ?? '', position)) positions.set(feature, position);
      this.onWrite(scope, feature);
    }
    return Promise.resolve();
  }

  settle(scope: Scope, feature: string, position: Position): Promise<LastWrite> {
    const { intents, positions } = this.of(scope);
    if ([...intents.values()].some((intent) => intent.feature === feature))
      return Promise.resolve({ kind: 'writing' });
    const stored = positions.get(feature);
    const known = stored !== undefined && isSameDatabase(stored, position) ? stored : position;
    positions.set(feature, known);
    return Promise.resolve({ kind: 'known', position: known });
  }

  private lastWritesOf(scopes: readonly Scope[]): Map<Scope, LastWrites> {
    return new Map(
      scopes.map((scope) => {
        const { positions, intents } = this.of(scope);
        const byFeature = new Map<string, LastWrite>();
        for (const [feature, position] of positions) byFeature.set(feature, { kind: 'known', position });
        for (const { feature } of intents.values()) byFeature.set(feature, { kind: 'writing' });
        // Intents can not be lost here while a write is under way, so there is nothing to wait for.
        return [scope, { byFeature, missing: { kind: 'unknown', isSettled: true } }];
      }),
    );
  }

  private setIntent({ scope, feature, id }: WriteIntent): void {
    this.of(scope).intents.set(id, { feature, until: performance.now() + intentTtlMs });
  }

  private of(scope: Scope): ScopeWrites {
    let writes = this.scopes.get(scope);
    if (writes === undefined) {
      writes = { positions: new Map(), intents: new Map() };
      this.scopes.set(scope, writes);
    }
    // After an intent has expired, the outcome of its write is unknown.
    for (const [id, { feature, until }] of writes.intents) {
      if (until >= performance.now()) continue;
      writes.intents.delete(id);
      writes.positions.delete(feature);
    }
    return writes;
  }
}
