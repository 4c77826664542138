import { LRUCache } from 'lru-cache';
import type { Stamp } from '../consistency/request-view.js';

/** An answer, ready to send. */
export interface CachedAnswer {
  readonly body: Buffer;
  /** Names in lower case, such as `etag` and `link`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Entry {
  readonly stamp: Stamp;
  readonly answer: CachedAnswer;
}

interface Stored extends Entry {
  readonly userId: string;
  readonly features: readonly string[];
}

/** What a key and the objects around an entry take, roughly. */
const overheadBytes = 400;
const mostEntries = 200_000;
/** Larger ones are not kept: few users would push out all others. */
export const mostBytes = 256 * 1024;

/** The layer in the process: bounded in bytes, the least recently used goes first. */
export class MemoryLayer {
  private readonly entries: LRUCache<string, Stored>;
  private readonly keysOfUser = new Map<string, Set<string>>();

  constructor({ CACHE_MEMORY_MIB }: { readonly CACHE_MEMORY_MIB: number }) {
    this.entries = new LRUCache({
      max: mostEntries,
      maxSize: CACHE_MEMORY_MIB * 1024 * 1024,
      maxEntrySize: mostBytes + overheadBytes,
      sizeCalculation: ({ answer }) => answer.body.length + overheadBytes,
      dispose: ({ userId }, key) => this.forget(userId, key),
    });
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  set(key: string, entry: Stored, ttlMs: number): void {
    this.entries.set(key, entry, { ttl: ttlMs });
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
