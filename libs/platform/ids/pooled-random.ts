import { randomFillSync } from 'node:crypto';

const pool = new Uint8Array(4096);
let used = pool.length;

/**
 * Cryptographically strong random bytes, of which each is given out once. To be used at once: a later call writes over them. Each
 * call to the system for a few bytes takes about 5 µs; one for all of the pool as long as three.
 */
export function pooledRandom(count: number): Uint8Array {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}
