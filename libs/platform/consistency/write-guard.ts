import { ServiceUnavailable } from '../errors/common-errors.js';
import type { Position } from '../positions/position.js';
import { DatabaseUnavailable } from '../postgres/database-unavailable.js';
import { uuidv7 } from '../ids/uuid.js';
import { logger } from '../logging/logger.js';
import { RedisUnavailable } from '../redis/redis-connection.js';
import type { Consistency } from './consistency.js';
import type { WriteIntent } from './consistency-store.port.js';
import type { ConsistencyView } from '../context/consistency-view.js';

/**
 * A intent that came with the request may be 5 s old when the write begins; 15 s later the write is given up; the server
 * ends a transaction that is left alone for 10 s, so no COMMIT of a process that slept comes later than that; and a
 * COMMIT takes 5 s at most: the intent, of 35 s, still stands.
 */
const maxIntentAgeMs = 5000;
const maxWriteMs = 15_000;
const freshIntentMs = 500;
/** How long a write waits until all others know that it does not tell them. */
const leaseWaitMs = 3000;
/** A COMMIT that nobody waits for any more takes effect within this, or the server is gone. */
const unknownMs = 10_000;

/** The write has to be made again: others may not know of it. Nothing was committed. */
export class WriteUnsafe extends ServiceUnavailable {
  constructor(reason: string) {
    super('The write could not be made safely. Try again.', {
      code: 'write_unsafe',
      cause: new Error(reason),
    });
  }
}

/**
 * Leave to write what changes the view of some users. Either the users are marked, so that every process reads them from
 * the primary until the lastWrite is there, or every process knows that this one does not tell.
 */
export class WriteGuard {
  private readonly since = performance.now();

  private constructor(
    private readonly consistency: Consistency,
    private readonly intents: readonly WriteIntent[],
    private readonly epoch: number,
    private readonly end: () => void,
  ) {}

  static async obtain(
    consistency: Consistency,
    feature: string,
    userIds: readonly string[],
    view: ConsistencyView | undefined,
  ): Promise<WriteGuard> {
    const { store } = consistency;
    const epoch = store?.epoch ?? 0;
    if (store?.isUp === true) {
      const end = consistency.beginWrite(epoch);
      try {
        const intents = userIds.map((userId) => takeIntent(consistency, feature, userId, view));
        const guard = new WriteGuard(consistency, await Promise.all(intents), epoch, end);
        if (!store.isShared) await untilLeased(consistency).catch((error: unknown) => guard.refuse(error));
        return guard;
      } catch (error) {
        end();
        if (!(error instanceof RedisUnavailable)) throw error;
      }
    }
    const end = consistency.beginWrite(null);
    try {
      await untilLeased(consistency);
      return new WriteGuard(consistency, [], epoch, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * Just before COMMIT. Marks that are not fresh are set once more: that they still stand is known only from Redis, which
   * may have lost them without a word, and only by a process that has not slept meanwhile.
   *
   * @throws WriteUnsafe where the intents may be gone by the time that COMMIT takes effect
   */
  async confirm(): Promise<void> {
    this.check();
    const { store, protections } = this.consistency;
    const isFresh = performance.now() - this.since < freshIntentMs;
    if (isFresh || store === null || !protections.isOn('mark')) return;
    try {
      await Promise.all(this.intents.map((intent) => store.announce(intent)));
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
    this.check();
  }

  private check(): void {
    const { store } = this.consistency;
    if (performance.now() - this.since > maxWriteMs) throw new WriteUnsafe('The write took too long.');
    if (this.intents.length > 0 && (store?.epoch !== this.epoch || !store.isUp))
      throw new WriteUnsafe('Redis was lost.');
    if ((this.intents.length === 0 || store?.isShared === false) && !isLeaseGood(this.consistency)) {
      throw new WriteUnsafe('The lease was lost.');
    }
  }

  /** After COMMIT: on return the write may be acknowledged. */
  async done(position: Position): Promise<void> {
    try {
      const { store } = this.consistency;
      // Marks of an earlier epoch may have been lost, and others have read and kept what they read: a lastWrite is too late.
      if (this.intents.length > 0 && store !== null && store.epoch === this.epoch) {
        await Promise.all(this.intents.map((intent) => store.finish(intent, position)));
      } else if (!isLeaseGood(this.consistency)) {
        await untilLeased(this.consistency);
      }
    } catch (error) {
      // The intents still stand where they could be kept, and for the rest everybody has to know.
      logger.debug({ err: error }, 'a write could not be noted');
      await untilLeased(this.consistency);
    } finally {
      this.end();
    }
  }

  private async refuse(error: unknown): Promise<never> {
    await this.abandon(false);
    throw error;
  }

  /** Nothing was written. Where that is not known, the intents stay until they count as unknown. */
  async abandon(isUnknown: boolean): Promise<void> {
    if (isUnknown) {
      setTimeout(this.end, unknownMs).unref();
      return;
    }
    this.end();
    const { store } = this.consistency;
    if (store !== null) await Promise.allSettled(this.intents.map((intent) => store.finish(intent, null)));
  }
}

/** The intent that came with the request, once, else a new one. */
async function takeIntent(
  consistency: Consistency,
  feature: string,
  userId: string,
  view: ConsistencyView | undefined,
): Promise<WriteIntent> {
  const intent = view?.takeIntent({
    feature,
    userId,
    maxAgeMs: maxIntentAgeMs,
    epoch: consistency.store?.epoch ?? 0,
  });
  if (intent !== undefined) return intent;
  const fresh = { userId, feature, id: uuidv7() };
  if (consistency.protections.isOn('mark')) await consistency.store?.announce(fresh);
  return fresh;
}

const isLeaseGood = ({ lease, protections }: Consistency): boolean =>
  !protections.isOn('lease') || lease.isEffective();

async function untilLeased({ lease, protections }: Consistency): Promise<void> {
  if (!protections.isOn('lease') || (await lease.untilEffective(leaseWaitMs))) return;
  throw new DatabaseUnavailable();
}
