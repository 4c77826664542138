import { currentCall } from '../context/call-context.js';
import type { ConsistencyView } from '../context/consistency-view.js';
import { Deadline } from '../context/deadline.js';
import type { WriteIntent } from '../context/last-write.js';
import { ServiceUnavailable } from '../errors/common-errors.js';
import { uuidv7 } from '../ids/uuid.js';
import { logger } from '../logging/logger.js';
import type { Position } from '../positions/position.js';
import { DatabaseUnavailable } from '../postgres/database-unavailable.js';
import { RedisUnavailable } from '../redis/redis-connection.js';
import type { ConsistencyStore } from './consistency-store.port.js';
import type { Consistency } from './consistency.js';
import type { Lease } from './lease.js';

/**
 * An intent that came with the call may be 5 s old when the write begins. The write is given up after 15 s. The server ends
 * a transaction that its process left alone for 10 s, so no COMMIT of a process that slept comes later than that. A COMMIT
 * takes 5 s at most. The intent, of 35 s, still stands then.
 */
const maxIntentAgeMs = 5000;
const maxWriteMs = 15_000;
const freshIntentMs = 500;
/** How long a write waits until all other processes know that this one writes without write intents. */
const leaseWaitMs = 3000;
/** A COMMIT whose answer was not waited for takes effect within this time, or not at all. */
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
 * Guards a write that changes the view of some users. Either their intents are announced, so that every process reads them
 * from the primary until the last-write position is stored. Or this process holds the lease, so that every process knows
 * that it writes without announcing.
 */
export class WriteGuard {
  private readonly since = performance.now();

  private constructor(
    private readonly consistency: Consistency,
    private readonly intents: readonly WriteIntent[],
    private readonly epoch: number,
    private readonly end: () => void,
  ) {}

  /**
   * Announces the intents of these users, or takes the lease if Redis is not available. `view`: that of the current call, which
   * may hold an intent already.
   *
   * @throws DatabaseUnavailable where the lease was not effective in time
   * @throws DeadlineExceeded
   */
  static async obtain(
    consistency: Consistency,
    feature: string,
    userIds: readonly string[],
    view: ConsistencyView | undefined,
  ): Promise<WriteGuard> {
    const { store } = consistency;
    if (store?.isUp === true) {
      const announced = userIds.map((userId) => claimIntent(store, feature, userId, view));
      const guard = await WriteGuard.announce(consistency, store, announced);
      if (guard !== null) return guard;
    }
    const guard = new WriteGuard(consistency, [], store?.epoch ?? 0, consistency.writes.begin(null));
    return guard.orAbandon(() => untilLeasedOrDeadline(consistency.lease));
  }

  /** Null where Redis was lost meanwhile. */
  private static async announce(
    consistency: Consistency,
    store: ConsistencyStore,
    claimed: readonly ClaimedIntent[],
  ): Promise<WriteGuard | null> {
    const { epoch } = store;
    const intents = claimed.map(({ intent }) => intent);
    const guard = new WriteGuard(consistency, intents, epoch, consistency.writes.begin(epoch));
    try {
      return await guard.orAbandon(async () => {
        const fresh = claimed.filter(({ isAnnounced }) => !isAnnounced);
        await Promise.all(fresh.map(({ intent }) => store.announce(intent)));
        if (!store.isShared) await untilLeasedOrDeadline(consistency.lease);
      });
    } catch (error) {
      if (error instanceof RedisUnavailable) return null;
      throw error;
    }
  }

  /**
   * To be called just before COMMIT. Intents that are not fresh are announced once more: only Redis knows whether they still
   * stand (it may have lost them without notice), and this process may have slept.
   *
   * @throws WriteUnsafe where the intents may be gone by the time that COMMIT takes effect
   * @throws DeadlineExceeded
   */
  async confirm(): Promise<void> {
    this.check();
    const { store } = this.consistency;
    const isFresh = performance.now() - this.since < freshIntentMs;
    if (isFresh || store === null) return;
    try {
      await Promise.all(this.intents.map((intent) => store.announce(intent)));
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
    this.check();
  }

  /** To be called after COMMIT. After it the write may be acknowledged. The call's deadline does not end it. */
  async done(position: Position): Promise<void> {
    const { store, lease } = this.consistency;
    try {
      // Where the store has lost the intents, others may have read and cached meanwhile: a position comes too late.
      if (this.intents.length > 0 && store !== null && store.epoch === this.epoch) {
        await Promise.all(this.intents.map((intent) => store.finish(intent, position)));
      } else if (!lease.isEffective()) {
        await untilLeased(lease);
      }
    } catch (error) {
      // The intents still stand where they were kept. Everything else needs the lease.
      logger.debug({ err: error }, 'the position of a write could not be stored');
      await untilLeased(lease);
    } finally {
      this.end();
    }
  }

  /** Nothing was written: withdraws the intents. If that is not known, they stay until they expire. */
  async abandon(isUnknown: boolean): Promise<void> {
    if (isUnknown) {
      setTimeout(this.end, unknownMs).unref();
      return;
    }
    this.end();
    const { store } = this.consistency;
    if (store !== null) await Promise.allSettled(this.intents.map((intent) => store.finish(intent, null)));
  }

  private check(): void {
    const { store, lease } = this.consistency;
    if (performance.now() - this.since > maxWriteMs) throw new WriteUnsafe('The write took too long.');
    if (this.intents.length > 0 && (store?.epoch !== this.epoch || !store.isUp))
      throw new WriteUnsafe('Redis was lost.');
    if ((this.intents.length === 0 || store?.isShared === false) && !lease.isEffective())
      throw new WriteUnsafe('The lease was lost.');
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
  /** It came with the call. */
  readonly isAnnounced: boolean;
}

/** The intent that came with the call, which serves one write, or a new one. */
function claimIntent(
  { epoch }: ConsistencyStore,
  feature: string,
  userId: string,
  view: ConsistencyView | undefined,
): ClaimedIntent {
  const held = view?.takeIntent({ feature, userId, maxAgeMs: maxIntentAgeMs, epoch });
  if (held !== undefined) return { intent: held, isAnnounced: true };
  return { intent: { userId, feature, id: uuidv7() }, isAnnounced: false };
}

/** @throws DatabaseUnavailable if the lease was not effective in time, because the primary is not available */
async function untilLeased(lease: Lease): Promise<void> {
  if (!(await lease.untilEffective(leaseWaitMs))) throw new DatabaseUnavailable();
}

const untilLeasedOrDeadline = (lease: Lease): Promise<void> =>
  (currentCall()?.deadline ?? Deadline.none).limit(untilLeased(lease));
