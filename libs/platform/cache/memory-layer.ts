import { LRUCache } from 'lru-cache';
import type { VersionStamp } from '../context/consistency-view.js';

/** An answer, ready to send. */
export interface CachedAnswer {
  readonly body: Buffer;
  /** Names in lower case, such as `etag` and `link`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Entry {
  readonly stamp: VersionStamp;
  readonly answer: CachedAnswer;
  /** In milliseconds of Unix time: the same in every layer. */
  readonly expiresAt: number;
}

interface Stored extends Entry {
  readonly userId: string;
  readonly features: readonly string[];
}

/** What a key and the objects around an entry take, roughly. */
const overheadBytes = 400;
const maxEntries = 200_000;
/** Larger ones are not kept: few users would push out all others. */
export const maxBytes = 256 * 1024;

/** The layer in the process: bounded in bytes, the least recently used goes first. */
export class MemoryLayer {
  private readonly entries: LRUCache<string, Stored>;
  private readonly keysOfUser = new Map<string, Set<string>>();

  constructor({ CACHE_MEMORY_MIB }: { readonly CACHE_MEMORY_MIB: number }) {
    this.entries = new LRUCache({
      max: maxEntries,
      maxSize: CACHE_MEMORY_MIB * 1024 * 1024,
      sizeCalculation: ({ answer }, key) => sizeOf(answer, key),
      dispose: ({ userId }, key) => this.forget(userId, key),
    });
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  set(key: string, { answer, ...entry }: Stored): void {
    const ttlMs = entry.expiresAt - Date.now();
    if (ttlMs < 1 || answer.body.length > maxBytes) {
      this.entries.delete(key);
      return;
    }
    const body = alone(answer.body);
    this.entries.set(key, { ...entry, answer: { headers: answer.headers, body } }, { ttl: ttlMs });
    if (!this.entries.has(key)) return;
    const keys = this.keysOfUser.get(entry.userId) ?? new Set();
    this.keysOfUser.set(entry.userId, keys.add(key));
  }

  /** Frees what is no use any more. Returns how many entries that were. */
  drop(userId: string, feature: string): number {
    const keys = [...(this.keysOfUser.get(userId) ?? [])];
    const outdated = keys.filter((key) => this.entries.peek(key)?.features.includes(feature) ?? true);
    for (const key of outdated) this.entries.delete(key);
    return outdated.length;
  }

  private forget(userId: string, key: string): void {
    const keys = this.keysOfUser.get(userId);
    keys?.delete(key);
    if (keys?.size === 0) this.keysOfUser.delete(userId);
  }
}

const sizeOf = ({ body, headers }: CachedAnswer, key: string): number =>
  body.length + 2 * (key.length + JSON.stringify(headers).length) + overheadBytes;

/** A part of a larger buffer, such as what came from the network, would keep all of that in memory. */
function alone(body: Buffer): Buffer {
  if (body.buffer.byteLength === body.length) return body;
  const copy = Buffer.allocUnsafeSlow(body.length);
  body.copy(copy);
  return copy;
}
