import { LRUCache } from 'lru-cache';
import type { LastWrite, WriteIntent } from '../context/last-write.js';
import { later, type Position } from '../positions/position.js';
import {
  ConsistencyStore,
  intentTtlMs,
  type Beginning,
  type Limit,
  type LimitRecord,
} from './consistency-store.port.js';
import type { LocalLimits } from './local-limits.js';

interface UserWrites {
  readonly positions: Map<string, Position>;
  /** By id: the feature, and until when the intent counts. */
  readonly intents: Map<string, { readonly feature: string; readonly until: number }>;
}

/** An evicted user is unknown again, which costs one query to the primary. */
const maxUsers = 50_000;

/** The embedded driver: keeps everything in this process, for a service that is one process. */
export class MemoryConsistencyStore extends ConsistencyStore {
  readonly isShared = false;
  readonly isUp = true;
  readonly epoch = 0;
  readonly readTimeoutMs = 1000;
  readonly upSince = performance.now();
  private readonly users = new LRUCache<string, UserWrites>({ max: maxUsers });

  constructor(
    private readonly limits: LocalLimits,
    private readonly onWrite: (userId: string, feature: string) => void,
  ) {
    super();
  }

  onChange(): void {
    // It is always available.
  }

  untilUp(): Promise<boolean> {
    return Promise.resolve(true);
  }

  begin(limit: Limit, cost: number, intent: WriteIntent | null, userId: string | null): Promise<Beginning> {
    const record = this.limits.count(limit, cost);
    const lastWrites = userId === null ? new Map<string, LastWrite>() : this.lastWritesOf(userId);
    if (intent !== null && record.blockedMs === 0) this.setIntent(intent);
    // Intents can not be lost here while a write is under way, so there is nothing to wait for.
    return Promise.resolve({ limit: record, lastWrites, missing: { kind: 'unknown', isSettled: true } });
  }

  count(limit: Limit, cost: number): Promise<LimitRecord> {
    return Promise.resolve(this.limits.count(limit, cost));
  }

  refund(key: string, cost: number): Promise<void> {
    this.limits.refund(key, cost);
    return Promise.resolve();
  }

  announce(intent: WriteIntent): Promise<void> {
    this.setIntent(intent);
    return Promise.resolve();
  }

  finish({ userId, feature, id }: WriteIntent, position: Position | null): Promise<void> {
    const user = this.of(userId);
    user.intents.delete(id);
    if (position !== null) {
      user.positions.set(feature, later(position, user.positions.get(feature) ?? position));
      this.onWrite(userId, feature);
    }
    return Promise.resolve();
  }

  settle(userId: string, feature: string, position: Position): Promise<LastWrite> {
    const user = this.of(userId);
    if ([...user.intents.values()].some((intent) => intent.feature === feature))
      return Promise.resolve({ kind: 'writing' });
    const known = user.positions.get(feature) ?? position;
    user.positions.set(feature, known);
    return Promise.resolve({ kind: 'known', position: known });
  }

  private lastWritesOf(userId: string): Map<string, LastWrite> {
    const { positions, intents } = this.of(userId);
    const lastWrites = new Map<string, LastWrite>();
    for (const [feature, position] of positions) lastWrites.set(feature, { kind: 'known', position });
    for (const { feature } of intents.values()) lastWrites.set(feature, { kind: 'writing' });
    return lastWrites;
  }

  private setIntent({ userId, feature, id }: WriteIntent): void {
    this.of(userId).intents.set(id, { feature, until: performance.now() + intentTtlMs });
  }

  private of(userId: string): UserWrites {
    let user = this.users.get(userId);
    if (user === undefined) {
      user = { positions: new Map(), intents: new Map() };
      this.users.set(userId, user);
    }
    // After an intent has expired, the outcome of its write is unknown.
    for (const [id, { feature, until }] of user.intents) {
      if (until >= performance.now()) continue;
      user.intents.delete(id);
      user.positions.delete(feature);
    }
    return user;
  }
}
