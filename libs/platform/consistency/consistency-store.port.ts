import type { LastWrite, LastWrites, WriteIntent } from '../context/last-write.js';
import type { Scope } from '../context/scope.js';
import type { Position } from '../positions/position.js';

/** A limit to count against. */
export interface Limit {
  /** Who is counted, such as `user:…`. The key of a user contains the user's id as its hash tag. */
  readonly key: string;
  readonly points: number;
  readonly windowMs: number;
  readonly blockMs: number;
  /** The window as this process last knew it, for a store that has lost it: an empty Redis gives nobody a new window. */
  readonly known?: Pick<LimitRecord, 'used' | 'resetMs'> | undefined;
}

export interface LimitRecord {
  /** Points used in this window, those of this call included. */
  readonly used: number;
  /** Until the window ends. */
  readonly resetMs: number;
  /** Until the block ends; 0 where there is none and the call may go on. */
  readonly blockedMs: number;
}

/** What the store is asked at the beginning of a call. */
export interface Question {
  readonly scopes: readonly Scope[];
  /** Announced for a write of the call, unless the limit blocks it. Its scope is one of `scopes`. */
  readonly intent: WriteIntent | null;
}

/** What the store returns at the beginning of a call. */
export interface Beginning {
  readonly limit: LimitRecord;
  readonly lastWrites: Map<Scope, LastWrites>;
}

/** After this the intent of a process that died counts as unknown. Longer than any write can take, see `WriteGuard`. */
export const intentTtlMs = 35_000;
/** After this a missing last-write position can be replaced: writes that began before it was lost have ended. */
export const settleMs = 1000;
/** Longer than the life of any cache entry, which is 24 hours at most. */
export const positionTtlMs = 26 * 3600 * 1000;

/**
 * The last-write positions of all scopes, the intents of writes under way, and the counts of rate limits.
 *
 * Several scopes are no unit: what is asked or changed for one of them may fail or be lost while the others stay.
 */
export abstract class ConsistencyStore {
  /** Whether all processes of the service share it. If not, they must notice each other by leases. */
  abstract readonly isShared: boolean;
  abstract readonly isUp: boolean;
  /** Increases whenever the store may have lost data. */
  abstract readonly epoch: number;
  /** How long a read waits for the store before it continues without it. */
  abstract readonly readTimeoutMs: number;
  /** By the monotonic clock; null while the store is down. */
  abstract readonly upSince: number | null;

  /**
   * All that a call needs: counts `cost` points against the limit, returns the last writes of the scopes as they were before
   * the intent, and announces the intent, unless the limit blocks the call. One round trip; in a Redis Cluster one for each
   * slot, at the same time. The scope of the caller is in the slot of the limit.
   *
   * All methods reject with RedisUnavailable, soon, while the store is down, and with DeadlineExceeded; `finish` alone does
   * not end with the deadline of the call.
   */
  abstract begin(limit: Limit, cost: number, question: Question): Promise<Beginning>;
  abstract count(limit: Limit, cost: number): Promise<LimitRecord>;
  /** Returns points to the current window; a block stays. */
  abstract refund(key: string, cost: number): Promise<void>;
  /** The last writes of scopes that a call finds out about later than at its beginning. */
  abstract ask(scopes: readonly Scope[]): Promise<ReadonlyMap<Scope, LastWrites>>;
  /** Announces the intents of one write. */
  abstract announce(intents: readonly WriteIntent[]): Promise<void>;
  /**
   * Withdraws the intents of one write. Where `position` is given, the last-write positions of their scopes rise to it, and
   * other processes are told to drop their cache entries. A position of another database is replaced.
   */
  abstract finish(intents: readonly WriteIntent[], position: Position | null): Promise<void>;
  /**
   * Stores `position` where there is none of its database and no write is under way. Returns what is known then. `position`
   * is the current one of the primary, asked after the store said that it knows none.
   */
  abstract settle(scope: Scope, feature: string, position: Position): Promise<LastWrite>;
  abstract onChange(listener: () => void): void;
  /** Resolves to whether the store became available within the time. */
  abstract untilUp(timeoutMs: number): Promise<boolean>;
}
