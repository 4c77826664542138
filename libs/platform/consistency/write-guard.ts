import { ServiceUnavailable } from '../errors/common-errors.js';
import type { Position } from '../positions/position.js';
import { DatabaseUnavailable } from '../postgres/database-unavailable.js';
import { uuidv7 } from '../ids/uuid.js';
import { logger } from '../logging/logger.js';
import { RedisUnavailable } from '../redis/redis-connection.js';
import type { Consistency } from './consistency.js';
import type { Mark } from './consistency-store.port.js';
import type { RequestView } from '../context/consistency-view.js';

/**
 * A mark that came with the request may be 5 s old when the write begins; 15 s later the write is given up; the server
 * ends a transaction that is left alone for 10 s, so no COMMIT of a process that slept comes later than that; and a
 * COMMIT takes 5 s at most: the mark, of 35 s, still stands.
 */
const oldestMarkMs = 5000;
const longestWriteMs = 15_000;
const freshMarkMs = 500;
/** How long a write waits until all others know that it does not tell them. */
const leaseWaitMs = 3000;
/** A COMMIT that nobody waits for any more takes effect within this, or the server is gone. */
const unknownMs = 10_000;

/** The write has to be made again: others may not know of it. Nothing was committed. */
export class PermitLost extends ServiceUnavailable {
  constructor(reason: string) {
    super('The write could not be made safely. Try again.', {
      code: 'write_unsafe',
      cause: new Error(reason),
    });
  }
}

/**
 * Leave to write what changes the view of some users. Either the users are marked, so that every process reads them from
 * the primary until the note is there, or every process knows that this one does not tell.
 */
export class Permit {
  private readonly since = performance.now();

  private constructor(
    private readonly consistency: Consistency,
    private readonly marks: readonly Mark[],
    private readonly epoch: number,
    private readonly end: () => void,
  ) {}

  static async obtain(
    consistency: Consistency,
    feature: string,
    userIds: readonly string[],
    view: RequestView | undefined,
  ): Promise<Permit> {
    const { ledger } = consistency;
    const epoch = ledger?.epoch ?? 0;
    if (ledger?.isUp === true) {
      const end = consistency.beginWrite(epoch);
      try {
        const marks = userIds.map((userId) => takeMark(consistency, feature, userId, view));
        const permit = new Permit(consistency, await Promise.all(marks), epoch, end);
        if (!ledger.isShared) await untilLeased(consistency).catch((error: unknown) => permit.refuse(error));
        return permit;
      } catch (error) {
        end();
        if (!(error instanceof RedisUnavailable)) throw error;
      }
    }
    const end = consistency.beginWrite(null);
    try {
      await untilLeased(consistency);
      return new Permit(consistency, [], epoch, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * Just before COMMIT. Marks that are not fresh are set once more: that they still stand is known only from Redis, which
   * may have lost them without a word, and only by a process that has not slept meanwhile.
   *
   * @throws PermitLost where the marks may be gone by the time that COMMIT takes effect
   */
  async confirm(): Promise<void> {
    this.check();
    const { ledger, protections } = this.consistency;
    const isFresh = performance.now() - this.since < freshMarkMs;
    if (isFresh || ledger === null || !protections.isOn('mark')) return;
    try {
      await Promise.all(this.marks.map((mark) => ledger.mark(mark)));
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
    this.check();
  }

  private check(): void {
    const { ledger } = this.consistency;
    if (performance.now() - this.since > longestWriteMs) throw new PermitLost('The write took too long.');
    if (this.marks.length > 0 && (ledger?.epoch !== this.epoch || !ledger.isUp))
      throw new PermitLost('Redis was lost.');
    if ((this.marks.length === 0 || ledger?.isShared === false) && !isLeaseGood(this.consistency)) {
      throw new PermitLost('The lease was lost.');
    }
  }

  /** After COMMIT: on return the write may be acknowledged. */
  async done(position: Position): Promise<void> {
    try {
      const { ledger } = this.consistency;
      // Marks of an earlier epoch may have been lost, and others have read and kept what they read: a note is too late.
      if (this.marks.length > 0 && ledger !== null && ledger.epoch === this.epoch) {
        await Promise.all(this.marks.map((mark) => ledger.finish(mark, position)));
      } else if (!isLeaseGood(this.consistency)) {
        await untilLeased(this.consistency);
      }
    } catch (error) {
      // The marks still stand where they could be kept, and for the rest everybody has to know.
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

  /** Nothing was written. Where that is not known, the marks stay until they count as unknown. */
  async abandon(isUnknown: boolean): Promise<void> {
    if (isUnknown) {
      setTimeout(this.end, unknownMs).unref();
      return;
    }
    this.end();
    const { ledger } = this.consistency;
    if (ledger !== null) await Promise.allSettled(this.marks.map((mark) => ledger.finish(mark, null)));
  }
}

/** The mark that came with the request, once, else a new one. */
async function takeMark(
  consistency: Consistency,
  feature: string,
  userId: string,
  view: RequestView | undefined,
): Promise<Mark> {
  const mark = view?.takeMark({
    feature,
    userId,
    maxAgeMs: oldestMarkMs,
    epoch: consistency.ledger?.epoch ?? 0,
  });
  if (mark !== undefined) return mark;
  const fresh = { userId, feature, id: uuidv7() };
  if (consistency.protections.isOn('mark')) await consistency.ledger?.mark(fresh);
  return fresh;
}

const isLeaseGood = ({ lease, protections }: Consistency): boolean =>
  !protections.isOn('lease') || lease.isEffective();

async function untilLeased({ lease, protections }: Consistency): Promise<void> {
  if (!protections.isOn('lease') || (await lease.untilEffective(leaseWaitMs))) return;
  throw new DatabaseUnavailable();
}
