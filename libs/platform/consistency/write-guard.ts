import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { currentCall } from '../context/call-context.js';
import type { ConsistencyView } from '../context/consistency-view.js';
import { Deadline } from '../context/deadline.js';
import type { WriteIntent } from '../context/last-write.js';
import type { Scope } from '../context/scope.js';
import { ServiceUnavailable } from '../errors/common-errors.js';
import { logger } from '../logging/logger.js';
import type { Position } from '../positions/position.js';
import { DatabaseUnavailable, OutcomeUnknown } from '../postgres/database-unavailable.js';
import { RedisUnavailable } from '../redis/redis-connection.js';
import type { ConsistencyStore } from './consistency-store.port.js';
import type { Consistency } from './consistency.js';
import type { Lease } from './lease.js';

/**
 * An intent that came with the call may be 5 s old when the write begins. The write is given up after 15 s. The server ends
 * a transaction that its process left alone for 10 s, so no COMMIT of a process that slept comes later than that. A COMMIT
 * takes 5 s at most, or waits for a standby, see `isCommitWaiting`. The intent, of 35 s, still stands then.
 */
const maxIntentAgeMs = 5000;
const maxWriteMs = 15_000;
const freshIntentMs = 500;
/** How long a write waits until all other processes know that this one writes without write intents. */
const leaseWaitMs = 3000;
/**
 * A COMMIT whose answer was not waited for takes effect within this time, or not at all, unless it waits for a standby: all processes see
 * that (`isCommitWaiting`), and under a lease its lock stands until then.
 */
const unknownMs = 10_000;

/** Other processes may not know of the write, so it must be repeated. Nothing was committed. */
export class WriteUnsafe extends ServiceUnavailable {
  constructor(reason: string) {
    super('The write could not be made safely. Try again.', {
      code: 'write_unsafe',
      cause: new Error(reason),
    });
  }
}

/**
 * Guards a write that changes some scopes. Either their intents are announced, so that every process reads them from the
 * primary until the last-write position is stored. Or this process holds the lease, so that every process knows that it
 * writes without announcing.
 */
export class WriteGuard {
  private readonly since = performance.now();
  /** The intents were announced then or later. */
  private freshAt: number;
  /** What was given up must announce nothing any more. */
  private isAbandoned = false;
  private readonly intents: WriteIntent[];

  private constructor(
    private readonly consistency: Consistency,
    private readonly feature: string,
    intents: readonly WriteIntent[],
    /** Epoch of the store in which the intents were announced; null: under the lease. */
    private readonly epoch: number | null,
    private readonly end: () => void,
    announcedAt: readonly number[] = [],
  ) {
    this.intents = [...intents];
    this.freshAt = Math.min(this.since, ...announcedAt);
  }

  /**
   * Announces the intents of these scopes, or takes the lease if Redis is not available. `view`: that of the current call,
   * which may hold an intent already.
   *
   * @throws DatabaseUnavailable where the lease was not effective in time
   * @throws DeadlineExceeded
   */
  static async obtain(
    consistency: Consistency,
    feature: string,
    scopes: readonly Scope[],
    view: ConsistencyView | undefined,
  ): Promise<WriteGuard> {
    const { store } = consistency;
    if (store?.isUp === true) {
      const claimed = scopes.map((scope) => claimIntent(store, feature, scope, view));
      const guard = await WriteGuard.announce(consistency, store, feature, claimed);
      if (guard !== null) return guard;
    }
    const guard = new WriteGuard(consistency, feature, [], null, consistency.writes.begin(null));
    return guard.orAbandon(() => untilLeasedOrDeadline(consistency.lease));
  }

  /** Null where Redis was lost meanwhile. */
  private static async announce(
    consistency: Consistency,
    store: ConsistencyStore,
    feature: string,
    claimed: readonly ClaimedIntent[],
  ): Promise<WriteGuard | null> {
    const { epoch } = store;
    const intents = claimed.map(({ intent }) => intent);
    const announcedAt = claimed.flatMap((each) => each.announcedAt ?? []);
    const end = consistency.writes.begin(epoch);
    const guard = new WriteGuard(consistency, feature, intents, epoch, end, announcedAt);
    try {
      return await guard.orAbandon(async () => {
        const fresh = claimed.filter((each) => each.announcedAt === null).map(({ intent }) => intent);
        if (fresh.length > 0) await store.announce(fresh);
        if (!store.isShared) await untilLeasedOrDeadline(consistency.lease);
      });
    } catch (error) {
      if (error instanceof RedisUnavailable) return null;
      throw error;
    }
  }

  get scopes(): readonly Scope[] {
    return this.intents.map(({ scope }) => scope);
  }

  /**
   * To be called after the last statement, just before COMMIT. Announces the scopes that the transaction has found out about
   * (`learned`). Intents that are not fresh are announced once more: only Redis knows whether they still stand (it may have
   * lost them without notice), and this process may have slept.
   *
   * @throws WriteUnsafe where the intents may be gone by the time that COMMIT takes effect
   * @throws DeadlineExceeded
   */
  async confirm(manager: EntityManager, learned: readonly Scope[]): Promise<void> {
    this.check();
    const { store, lease } = this.consistency;
    if (this.epoch !== null && store !== null) {
      await this.announceAgain(store, learned);
      this.check();
    }
    if (this.needsLease() && !(await lease.confirm(manager)))
      throw new WriteUnsafe('The lease ended before COMMIT.');
  }

  /**
   * Until when a statement may commit that is sent now and decides that by itself, by the monotonic clock: the intents, which
   * are announced once more where they are not fresh, certainly stand until then. Null: under a lease only `confirm` can tell.
   *
   * @throws WriteUnsafe, DeadlineExceeded
   */
  async commitBy(): Promise<number | null> {
    const { store } = this.consistency;
    if (this.needsLease() || store === null) return null;
    this.check();
    if (performance.now() - this.freshAt > freshIntentMs / 2) await this.announceAgain(store, []);
    this.check();
    return this.freshAt + freshIntentMs;
  }

  /**
   * To be called after COMMIT. After it the write may be acknowledged. The call's deadline does not end it.
   *
   * @throws OutcomeUnknown where neither Redis nor the primary tells other processes of the write
   */
  async done(position: Position): Promise<void> {
    const { store, lease } = this.consistency;
    try {
      // Where the store has lost the intents, others may have read and cached meanwhile: a position comes too late.
      const isStored = store !== null && store.epoch === this.epoch && (await this.finish(store, position));
      // The intents still stand where they were kept. Everything else needs the lease.
      if (!isStored && !lease.isEffective()) await untilLeased(lease);
    } catch (error) {
      throw new OutcomeUnknown(error);
    } finally {
      this.end();
    }
  }

  private async finish(store: ConsistencyStore, position: Position): Promise<boolean> {
    try {
      await store.finish(this.intents, position);
      return true;
    } catch (error) {
      logger.debug({ err: error }, 'the position of a write could not be stored');
      return false;
    }
  }

  /** Nothing was written: withdraws the intents. If that is not known, they stay until they expire. */
  async abandon(isUnknown: boolean): Promise<void> {
    this.isAbandoned = true;
    if (isUnknown) {
      setTimeout(this.end, unknownMs).unref();
      return;
    }
    this.end();
    const { store } = this.consistency;
    await store?.finish(this.intents, null).catch(() => undefined);
  }

  private async announceAgain(store: ConsistencyStore, learned: readonly Scope[]): Promise<void> {
    const known = new Set(this.scopes);
    const now = performance.now();
    const isFresh = now - this.freshAt < freshIntentMs / 2;
    const fresh = learned.filter((scope) => !known.has(scope)).map((scope) => newIntent(this.feature, scope));
    const again = isFresh ? [] : this.intents;
    const due = [...again, ...fresh];
    // Before they are announced: an announcement that fails may have had effect.
    this.intents.push(...fresh);
    try {
      if (due.length > 0) await store.announce(due);
      if (!isFresh) this.freshAt = now;
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
  }

  private needsLease(): boolean {
    return this.epoch === null || this.consistency.store?.isShared === false;
  }

  private check(): void {
    const { store, lease } = this.consistency;
    if (this.isAbandoned) throw new WriteUnsafe('The write was given up.');
    if (performance.now() - this.since > maxWriteMs) throw new WriteUnsafe('The write took too long.');
    if (this.epoch !== null && (store?.epoch !== this.epoch || !store.isUp))
      throw new WriteUnsafe('Redis was lost.');
    if (this.needsLease() && !lease.isEffective()) throw new WriteUnsafe('The lease was lost.');
  }

  private async orAbandon(prepare: () => Promise<void>): Promise<this> {
    try {
      await prepare();
      return this;
    } catch (error) {
      // Not waited for: the call's deadline may have passed.
      void this.abandon(false);
      throw error;
    }
  }
}

interface ClaimedIntent {
  readonly intent: WriteIntent;
  /** When it was announced with the beginning of the call; null: it is to be announced now. */
  readonly announcedAt: number | null;
}

/** The intent that came with the call, which serves one write, or a new one. */
function claimIntent(
  { epoch }: ConsistencyStore,
  feature: string,
  scope: Scope,
  view: ConsistencyView | undefined,
): ClaimedIntent {
  const held = view?.takeIntent({ feature, scope, maxAgeMs: maxIntentAgeMs, epoch });
  return held ?? { intent: newIntent(feature, scope), announcedAt: null };
}

const newIntent = (feature: string, scope: Scope): WriteIntent => ({ scope, feature, id: randomUUID() });

/** @throws DatabaseUnavailable if the lease was not effective in time, because the primary is not available */
async function untilLeased(lease: Lease): Promise<void> {
  if (!(await lease.untilEffective(leaseWaitMs))) throw new DatabaseUnavailable();
}

const untilLeasedOrDeadline = (lease: Lease): Promise<void> =>
  (currentCall()?.deadline ?? Deadline.none).limit(untilLeased(lease));
