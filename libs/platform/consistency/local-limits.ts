import { LRUCache } from 'lru-cache';
import type { Limit, LimitRecord } from './consistency-store.port.js';

interface Counter {
  used: number;
  endsAt: number;
  blockedUntil: number;
}

/** Of the monotonic clock: with fractions, an end that is 60 s away comes to a little more at times, which is told as 61. */
const wholeMs = (): number => Math.floor(performance.now());

const maxKeys = 100_000;

/**
 * Counts of this process alone. It also keeps what the shared store last said, so that losing that starts nobody anew
 * and a known block needs no question.
 */
export class LocalLimits {
  private readonly counters = new LRUCache<string, Counter>({ max: maxKeys });

  /** Counts `cost` points: a window begins with its first call; whoever goes over is blocked, and then starts anew. */
  count({ key, points, windowMs, blockMs }: Limit, cost: number, now = wholeMs()): LimitRecord {
    const counter = this.of(key);
    if (counter.blockedUntil <= now) {
      if (counter.endsAt <= now) {
        counter.used = 0;
        counter.endsAt = now + windowMs;
      }
      counter.used += cost;
      counter.blockedUntil = 0;
      if (counter.used > points) counter.endsAt = counter.blockedUntil = now + blockMs;
    }
    return recordOf(counter, now);
  }

  /** Gives back points that this window counted; a block stays. */
  refund(key: string, cost: number, now = wholeMs()): void {
    const counter = this.counters.get(key);
    if (counter === undefined || counter.blockedUntil > now) return;
    counter.used = Math.max(0, counter.used - cost);
  }

  /** The window that runs, if no block stands. */
  findWindow(key: string, now = wholeMs()): LimitRecord | undefined {
    const counter = this.counters.get(key);
    return counter === undefined || counter.endsAt <= now || counter.blockedUntil > now
      ? undefined
      : recordOf(counter, now);
  }

  /** The block that stands, or null. */
  findBlock(key: string, now = wholeMs()): LimitRecord | null {
    const counter = this.counters.get(key);
    return counter === undefined || counter.blockedUntil <= now ? null : recordOf(counter, now);
  }

  /** Takes over what the shared store counted. */
  learn(key: string, { used, resetMs, blockedMs }: LimitRecord, now = wholeMs()): void {
    Object.assign(this.of(key), {
      used,
      endsAt: now + resetMs,
      blockedUntil: blockedMs > 0 ? now + blockedMs : 0,
    });
  }

  private of(key: string): Counter {
    let counter = this.counters.get(key);
    if (counter === undefined) {
      counter = { used: 0, endsAt: 0, blockedUntil: 0 };
      this.counters.set(key, counter);
    }
    return counter;
  }
}

const recordOf = ({ used, endsAt, blockedUntil }: Counter, now: number): LimitRecord => ({
  used,
  resetMs: Math.max(0, endsAt - now),
  blockedMs: Math.max(0, blockedUntil - now),
});
