import { LRUCache } from 'lru-cache';
import type { Limit, LimitRecord } from './consistency-store.port.js';

interface Counter {
  used: number;
  endsAt: number;
  blockedUntil: number;
}

/** By the monotonic clock. Fractions would make an end that is 60 s away a little more than 60 s at times, reported as 61 s. */
const wholeMs = (): number => Math.floor(performance.now());

const maxKeys = 100_000;

/**
 * Rate limits as counted by this process alone. It also keeps the last answers of the shared store, so that losing the
 * store starts no new window, and a known block needs no round trip.
 */
export class LocalLimits {
  private readonly counters = new LRUCache<string, Counter>({ max: maxKeys });

  /**
   * Counts `cost` points. A window begins with its first call. A call over the limit starts a block, after which a new window begins.
   * Without a block (0) it is refused until the window ends, and not counted.
   */
  count({ key, points, windowMs, blockMs }: Limit, cost: number, now = wholeMs()): LimitRecord {
    const counter = this.of(key);
    if (counter.blockedUntil <= now) {
      if (counter.endsAt <= now) {
        counter.used = 0;
        counter.endsAt = now + windowMs;
      }
      counter.blockedUntil = 0;
      if (blockMs === 0 && counter.used + cost > points)
        return { ...recordOf(counter, now), blockedMs: counter.endsAt - now };
      counter.used += cost;
      if (counter.used > points) counter.endsAt = counter.blockedUntil = now + blockMs;
    }
    return recordOf(counter, now);
  }

  /** Returns points to the current window; a block stays. */
  refund(key: string, cost: number, now = wholeMs()): void {
    const counter = this.counters.get(key);
    if (counter === undefined || counter.blockedUntil > now) return;
    counter.used = Math.max(0, counter.used - cost);
  }

  /** The current window; undefined during a block. */
  findWindow(key: string, now = wholeMs()): LimitRecord | undefined {
    const counter = this.counters.get(key);
    return counter === undefined || counter.endsAt <= now || counter.blockedUntil > now
      ? undefined
      : recordOf(counter, now);
  }

  /** The current block; null if there is none. */
  findBlock(key: string, now = wholeMs()): LimitRecord | null {
    const counter = this.counters.get(key);
    return counter === undefined || counter.blockedUntil <= now ? null : recordOf(counter, now);
  }

  /** Takes over the count of the shared store. */
  learn(
    { key, blockMs }: Pick<Limit, 'key' | 'blockMs'>,
    { used, resetMs, blockedMs }: LimitRecord,
    now = wholeMs(),
  ): void {
    const counter = this.of(key);
    counter.used = used;
    counter.endsAt = now + resetMs;
    // What is no block may be over at any time.
    counter.blockedUntil = blockMs > 0 && blockedMs > 0 ? now + blockedMs : 0;
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
