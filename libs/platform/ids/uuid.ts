import { v7 } from 'uuid';
import { pooledRandom } from './pooled-random.js';

let msecs = -Infinity;
let seq = 0;

/**
 * Ids of this product: UUIDv7 (RFC 9562), made here because Postgres makes them only from version 18 on. Each is greater than the
 * ones that this process made before, by the counter of 32 bits that `uuid` keeps too, but for which it asks the system each time.
 */
export function uuidv7(): string {
  const random = pooledRandom(16);
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    seq = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1;
  } else {
    seq = (seq + 1) >>> 0;
    if (seq === 0) msecs++;
  }
  return v7({ msecs, seq, random });
}

/** The last 32 bits of an id, which are random: they tell one user from another where a whole id would be long. */
export const partOf = (id: string): string => id.slice(-8);
