import { jest } from '@jest/globals';
import fc from 'fast-check';
import { LocalLimits } from './local-limits.js';

const limit = { key: '{ada}:limit:user', points: 3, windowMs: 10_000, blockMs: 4000 };

describe('limits of one process', () => {
  it('admit as many points as there are in a window, which begins with its first call', () => {
    const limits = new LocalLimits();
    const records = [1000, 2000, 3000].map((now) => limits.count(limit, 1, now));
    expect(records).toEqual([
      { used: 1, resetMs: 10_000, blockedMs: 0 },
      { used: 2, resetMs: 9000, blockedMs: 0 },
      { used: 3, resetMs: 8000, blockedMs: 0 },
    ]);
    expect(limits.count(limit, 1, 10_999)).toMatchObject({ used: 4, blockedMs: 4000 });
  });

  it('count anew when the window has ended', () => {
    const limits = new LocalLimits();
    for (const now of [1000, 2000, 3000]) limits.count(limit, 1, now);
    expect(limits.count(limit, 1, 11_000)).toEqual({ used: 1, resetMs: 10_000, blockedMs: 0 });
  });

  it('block whoever goes over, for a time that calls do not lengthen, and then count anew', () => {
    const limits = new LocalLimits();
    limits.count(limit, 3, 1000);
    expect(limits.count(limit, 1, 2000)).toEqual({ used: 4, resetMs: 4000, blockedMs: 4000 });
    expect(limits.count(limit, 1, 5999)).toEqual({ used: 4, resetMs: 1, blockedMs: 1 });
    expect(limits.count(limit, 1, 6000)).toEqual({ used: 1, resetMs: 10_000, blockedMs: 0 });
  });

  it('refuse a call that costs more than is left, and admit one that takes all of it', () => {
    const limits = new LocalLimits();
    limits.count(limit, 1, 0);
    expect(limits.count({ ...limit, key: 'other' }, 3, 0).blockedMs).toBe(0);
    expect(limits.count(limit, 3, 0).blockedMs).toBe(4000);
  });

  it('tell whole milliseconds, and no more than there are', () => {
    const limits = new LocalLimits();
    // From here on a double is too coarse for what the clock tells.
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => 10_000 + Math.random() * 1e6);
    for (let n = 0; n < 2000; n++) {
      const each = { key: `user${n}`, points: 1, windowMs: 900_000, blockMs: 60_000 };
      expect(limits.count(each, 1).resetMs).toBe(900_000);
      limits.learn(each, { used: 1, resetMs: 1, blockedMs: 0 }, 0);
      expect(limits.count(each, 2).blockedMs).toBe(60_000);
    }
    clock.mockRestore();
  });

  it('tell of a block that stands, and of nothing else', () => {
    const limits = new LocalLimits();
    limits.count(limit, 3, 1000);
    expect(limits.findBlock(limit.key, 1000)).toBeNull();
    expect(limits.findBlock('nobody', 1000)).toBeNull();
    limits.count(limit, 1, 1000);
    expect(limits.findBlock(limit.key, 4999)).toMatchObject({ blockedMs: 1 });
    expect(limits.findBlock(limit.key, 5000)).toBeNull();
  });

  it('give back points of a window, but end no block', () => {
    const limits = new LocalLimits();
    limits.refund(limit.key, 1, 0);
    limits.count(limit, 3, 0);
    limits.refund(limit.key, 2, 0);
    expect(limits.count(limit, 2, 0)).toMatchObject({ used: 3, blockedMs: 0 });
    limits.refund(limit.key, 5, 0);
    expect(limits.count(limit, 3, 0)).toMatchObject({ used: 3, blockedMs: 0 });
    limits.count(limit, 1, 0);
    limits.refund(limit.key, 4, 0);
    expect(limits.findBlock(limit.key, 0)).toMatchObject({ used: 4, blockedMs: 4000 });
  });

  it('without a block refuse until the window ends, and no longer once points are given back', () => {
    const limits = new LocalLimits();
    const withoutBlock = { ...limit, blockMs: 0 };
    limits.count(withoutBlock, 3, 1000);
    const refused = { used: 3, resetMs: 9000, blockedMs: 9000 };
    expect(limits.count(withoutBlock, 1, 2000)).toEqual(refused);
    expect(limits.findBlock(limit.key, 2000)).toBeNull();
    limits.refund(limit.key, 1, 2000);
    expect(limits.count(withoutBlock, 1, 2000)).toEqual({ used: 3, resetMs: 9000, blockedMs: 0 });
    limits.learn(withoutBlock, refused, 2000);
    expect(limits.findBlock(limit.key, 2000)).toBeNull();
    expect(limits.count(withoutBlock, 1, 11_000)).toEqual({ used: 1, resetMs: 10_000, blockedMs: 0 });
  });

  it('go on from what they were told', () => {
    const limits = new LocalLimits();
    limits.learn(limit, { used: 2, resetMs: 500, blockedMs: 0 }, 1000);
    expect(limits.count(limit, 1, 1000)).toEqual({ used: 3, resetMs: 500, blockedMs: 0 });
    limits.learn(limit, { used: 9, resetMs: 700, blockedMs: 700 }, 2000);
    expect(limits.findBlock(limit.key, 2699)).toMatchObject({ blockedMs: 1 });
    expect(limits.count(limit, 1, 2700)).toMatchObject({ used: 1, blockedMs: 0 });
  });

  it('count each key by itself', () => {
    const limits = new LocalLimits();
    limits.count(limit, 3, 0);
    expect(limits.count({ ...limit, key: '{bob}:limit:user' }, 1, 0)).toMatchObject({ used: 1 });
  });

  it('never admit more points in a window than there are', () => {
    const calls = fc.array(fc.record({ wait: fc.nat(3000), cost: fc.integer({ min: 1, max: 4 }) }));
    fc.assert(
      fc.property(calls, (all) => {
        const limits = new LocalLimits();
        let [now, startedAt, admitted] = [0, -Infinity, 0];
        for (const { wait, cost } of all) {
          now += wait;
          const { blockedMs, used } = limits.count(limit, cost, now);
          if (blockedMs > 0) startedAt = -Infinity;
          if (blockedMs > 0) continue;
          if (startedAt === -Infinity || now - startedAt >= limit.windowMs) [startedAt, admitted] = [now, 0];
          admitted += cost;
          expect(used).toBe(admitted);
          expect(admitted).toBeLessThanOrEqual(limit.points);
        }
      }),
    );
  });
});
