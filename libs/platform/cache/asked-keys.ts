const slotBits = 17;

/**
 * Remembers which keys were asked for, in 512 KiB: each key has one slot for its hash, where a later one takes its place. So it
 * may forget a key, and one in 2³¹ it takes for another that it knows.
 */
export class AskedKeys {
  private readonly hashes = new Uint32Array(2 ** slotBits);

  /** Whether the key was asked for before. From now on it was. */
  ask(key: string): boolean {
    const hash = hashOf(key);
    const slot = hash >>> (32 - slotBits);
    const isKnown = this.hashes[slot] === hash;
    this.hashes[slot] = hash;
    return isKnown;
  }
}

/** FNV-1a, of 32 bits. Never 0, which stands for an empty slot. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < key.length; n++) hash = Math.imul(hash ^ key.charCodeAt(n), 0x01000193);
  return hash >>> 0 || 1;
}
