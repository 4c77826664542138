import { LRUCache } from 'lru-cache';
import type { VersionStamp } from '../context/consistency-view.js';

/** A cached value with what decides whether it may be used. */
export interface Entry<V = unknown> {
  /** What was known before the value was made. */
  readonly stamp: VersionStamp;
  readonly value: V;
  /** In milliseconds of Unix time: the same in every layer. */
  readonly expiresAt: number;
}

interface Stored extends Entry {
  /** Of the value, roughly. */
  readonly bytes: number;
  readonly userId: string;
  /** The user whose writes make it stale. */
  readonly features: readonly string[];
}

/** Approximate memory of a key and the objects around an entry. */
const overheadBytes = 400;
const maxEntries = 200_000;
/** Larger values are not cached: a few users could evict everyone else's entries. */
export const maxBytes = 256 * 1024;

/** The layer in the process: bounded in bytes; the least recently used entry goes first. */
export class MemoryLayer {
  private readonly entries: LRUCache<string, Stored>;
  private readonly keysOfUser = new Map<string, Set<string>>();

  constructor({ CACHE_MEMORY_MIB }: { readonly CACHE_MEMORY_MIB: number }) {
    this.entries = new LRUCache({
      max: maxEntries,
      maxSize: CACHE_MEMORY_MIB * 1024 * 1024,
      sizeCalculation: ({ bytes }, key) => bytes + 2 * key.length + overheadBytes,
      dispose: ({ userId }, key) => this.forget(userId, key),
    });
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }

  get(key: string): Entry | undefined {
    return this.entries.get(key);
  }

  set(key: string, entry: Stored): void {
    const ttlMs = entry.expiresAt - Date.now();
    if (ttlMs < 1 || entry.bytes > maxBytes) {
      this.entries.delete(key);
      return;
    }
    this.entries.set(key, entry, { ttl: ttlMs });
    if (!this.entries.has(key)) return;
    const keys = this.keysOfUser.get(entry.userId) ?? new Set();
    this.keysOfUser.set(entry.userId, keys.add(key));
  }

  /** Removes the user's entries that depend on the feature. Returns how many those were. */
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
