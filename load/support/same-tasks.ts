/**
 * Loaded before the seed command (`--import`), this creates the same tasks each time, apart from ids and dates. Otherwise
 * their sizes would differ, and so would the work of two processes that have a database each.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { Random } from '../../test/consistency/random.js';

const random = new Random(7);

/** Without the overload with a callback. */
function randomInt(first: number, second?: number): number {
  const [min, max] = second === undefined ? [0, first] : [first, second];
  return min + Math.floor(random.next() * (max - min));
}

Object.assign(crypto, { randomInt });
syncBuiltinESMExports();
