import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from './caller.js';
import type { ConsistencyView } from './consistency-view.js';
import { Deadline } from './deadline.js';
import type { Scope } from './scope.js';

/** A limit that the call was counted against, to be told to the client. */
export interface CountedLimit {
  readonly name: string;
  readonly points: number;
  readonly windowMs: number;
  /** Points used in this window, those of this call included. */
  readonly used: number;
  /** Until the window ends. */
  readonly resetMs: number;
  /** Until the block ends; 0 where there is none. */
  readonly blockedMs: number;
}

/** What an adapter knows of a call at its beginning. */
export interface CallOptions {
  /** Null for commands and background work. */
  readonly requestId?: string | null;
  readonly deadline?: Deadline;
  /** The feature that the call writes to: its write intent is announced with the first request to the store. */
  readonly writes?: string | null;
  /** What the call depends on besides the view of its user, as far as that is known at its beginning. */
  readonly scopes?: readonly Scope[];
  /** `Consistency-Token` as the client sent it. */
  readonly consistencyToken?: string | null;
}

/**
 * One call, independent of the transport: HTTP, a command, an event, a test. It holds the caller, the deadline and what
 * reads may rely on. The adapter of the transport creates it; guards set the caller and the view.
 */
export class CallContext {
  readonly requestId: string | null;
  readonly writes: string | null;
  readonly scopes: readonly Scope[];
  readonly consistencyToken: string | null;
  deadline: Deadline;
  caller: Caller | null = null;
  /** What reads of this call may rely on. Null: nothing, so that they go to the primary and no cache is used. */
  view: ConsistencyView | null = null;
  /** A read of it may lack what was acknowledged: no primary answered. */
  isBestEffort = false;
  /** Time that Postgres worked on what `CostlyReads` bounds, in milliseconds. */
  costlyMs = 0;
  /** The limits that it was counted against so far. */
  readonly limits: CountedLimit[] = [];

  constructor({ requestId, deadline, writes, scopes, consistencyToken }: CallOptions = {}) {
    this.requestId = requestId ?? null;
    this.deadline = deadline ?? Deadline.none;
    this.writes = writes ?? null;
    this.scopes = scopes ?? [];
    this.consistencyToken = consistencyToken ?? null;
  }

  /** Records a limit that the call was counted against; a later count replaces an earlier one. */
  countedAgainst(limit: CountedLimit): void {
    const known = this.limits.findIndex(({ name }) => name === limit.name);
    if (known < 0) this.limits.push(limit);
    else this.limits[known] = limit;
  }

  /** Runs `work` as part of this call: `currentCall()` is this one in it and in all that it begins. */
  run<T>(work: () => T): T {
    return storage.run(this, work);
  }
}

const storage = new AsyncLocalStorage<CallContext>();

/** The call that this code works for; undefined where it works for none. */
export const currentCall = (): CallContext | undefined => storage.getStore();

const outside = AsyncLocalStorage.snapshot();

/** Runs `work` outside of any call and trace: for work that serves several calls, or continues after the call. */
export const outsideOfCalls = <T>(work: () => T): T => outside(work);
