import type { Position } from '../positions/position.js';

/** What is known of the last write that changed what a user sees of one feature. */
export type LastWrite =
  | { readonly kind: 'known'; readonly position: Position }
  /** A write is under way. */
  | { readonly kind: 'writing' }
  /** Nothing is noted: it may have been lost. Settled: for so long that no write can be under way unmarked. */
  | { readonly kind: 'unknown'; readonly isSettled: boolean };

/** A limit to count against. */
export interface Limit {
  /** Who is counted, such as `user:…`; a user's key holds the user's id as its hash tag. */
  readonly key: string;
  readonly points: number;
  readonly windowMs: number;
  readonly blockMs: number;
  /** What this process last heard of the window, for a store that has lost it: nobody starts anew with an empty Redis. */
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

/** A write under way: readers of the user's feature turn to the primary until it is finished. */
export interface WriteIntent {
  readonly userId: string;
  readonly feature: string;
  readonly id: string;
}

export interface Beginning {
  readonly limit: LimitRecord;
  /** By feature; one that is missing is unknown. */
  readonly lastWrites: ReadonlyMap<string, LastWrite>;
  readonly missing: LastWrite;
}

/** A intent whose process died counts as unknown after this. Longer than any write can take, see `WriteGuard`. */
export const intentTtlMs = 35_000;
/** For a lastWrite that is missing: writes that began before it went are finished by then. */
export const settleMs = 1000;
/** Longer than anything that it guards: the longest life of a cache entry is 24 hours. */
export const positionTtlMs = 26 * 3600 * 1000;

/** The lastWrites of all users, the intents of writes under way and the counts of the limits, shared by all processes. */
export abstract class ConsistencyStore {
  /** Whether all processes of the service share it. Where each has one of its own, another process must be noticed. */
  abstract readonly isShared: boolean;
  abstract readonly isUp: boolean;
  /** Rises whenever the store may have lost something. */
  abstract readonly epoch: number;
  /** How long a read waits for it before it goes on without. */
  abstract readonly readTimeoutMs: number;
  /** By the monotonic clock; null while it is down. */
  abstract readonly upSince: number | null;

  /**
   * All that a request needs, in one round trip: counts `cost` points against the limit and tells the user's lastWrites as
   * they were before the intent, which is set unless the limit blocks the call.
   *
   * All methods reject with RedisUnavailable, soon, while it is down.
   */
  abstract begin(
    limit: Limit,
    cost: number,
    intent: WriteIntent | null,
    userId: string | null,
  ): Promise<Beginning>;
  abstract count(limit: Limit, cost: number): Promise<LimitRecord>;
  /** Gives back points that this window counted; a block stays. */
  abstract refund(key: string, cost: number): Promise<void>;
  abstract announce(intent: WriteIntent): Promise<void>;
  /** Takes the intent away; the lastWrite rises to `position` where one is given, and other processes are told to drop what they keep. */
  abstract finish(intent: WriteIntent, position: Position | null): Promise<void>;
  /** Notes `position` where nothing is noted and no write is under way. Returns what is known then. */
  abstract settle(userId: string, feature: string, position: Position): Promise<LastWrite>;
  abstract onChange(listener: () => void): void;
  /** Resolves to whether it came up within the time. */
  abstract untilUp(timeoutMs: number): Promise<boolean>;
}
