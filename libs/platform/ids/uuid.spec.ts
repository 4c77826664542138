import { jest } from '@jest/globals';
import { validate, version } from 'uuid';
import { pooledRandom } from './pooled-random.js';
import { uuidv7 } from './uuid.js';

describe('ids', () => {
  it('are UUIDs of version 7 that begin with the time', () => {
    const before = Date.now();
    const id = uuidv7();
    expect([validate(id), version(id)]).toEqual([true, 7]);
    const at = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  it('are each greater than the one before, also within a millisecond', () => {
    const ids = Array.from({ length: 20_000 }, uuidv7);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('go on where the clock is set back', () => {
    const before = uuidv7();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(1000);
    try {
      expect(uuidv7() > before).toBe(true);
    } finally {
      clock.mockRestore();
    }
  });

  it('end with random bits that no two share', () => {
    const tails = Array.from({ length: 20_000 }, () => uuidv7().slice(-12));
    expect(new Set(tails).size).toBe(tails.length);
  });
});

describe('random bytes from the pool', () => {
  it('are given out once, also where the pool is filled again', () => {
    const given = Array.from({ length: 5000 }, () => Buffer.from(pooledRandom(12)).toString('hex'));
    expect(new Set(given).size).toBe(given.length);
    expect(given.every((hex) => hex.length === 24)).toBe(true);
  });
});
