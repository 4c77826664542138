import { LRUCache } from 'lru-cache';
import type { VersionStamp } from '../context/consistency-view.js';
import type { Scope } from '../context/scope.js';

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
  /** Writes to it, in these features, make the entry stale. */
  readonly scope: Scope;
  readonly features: readonly string[];
}

/** Approximate memory of a key and the objects around an entry. */
const overheadBytes = 400;
/** Larger values are not cached: a few users could evict everyone else's entries. */
export const maxBytes = 256 * 1024;

/** The layer in the process: bounded in bytes; the least recently used entry goes first. */
export class MemoryLayer {
  private readonly entries: LRUCache<string, Stored>;
  private readonly keysOfScope = new Map<Scope, Set<string>>();

  constructor({ CACHE_MEMORY_MIB }: { readonly CACHE_MEMORY_MIB: number }) {
    this.entries = new LRUCache({
      maxSize: CACHE_MEMORY_MIB * 1024 * 1024,
      sizeCalculation: ({ bytes }, key) => bytes + 2 * key.length + overheadBytes,
      dispose: ({ scope }, key) => this.forget(scope, key),
    });
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }

  get(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.expiresAt > Date.now()) return entry;
    this.entries.delete(key);
    return undefined;
  }

  set(key: string, entry: Stored): void {
    if (entry.expiresAt <= Date.now() || entry.bytes > maxBytes) {
      this.entries.delete(key);
      return;
    }
    this.entries.set(key, entry);
    if (!this.entries.has(key)) return;
    const keys = this.keysOfScope.get(entry.scope) ?? new Set();
    this.keysOfScope.set(entry.scope, keys.add(key));
  }

  /** Removes the scope's entries that depend on the feature. Returns how many those were. */
  drop(scope: Scope, feature: string): number {
    const keys = [...(this.keysOfScope.get(scope) ?? [])];
    const outdated = keys.filter((key) => this.entries.peek(key)?.features.includes(feature) ?? true);
    for (const key of outdated) this.entries.delete(key);
    return outdated.length;
  }

  private forget(scope: Scope, key: string): void {
    const keys = this.keysOfScope.get(scope);
    keys?.delete(key);
    if (keys?.size === 0) this.keysOfScope.delete(scope);
  }
}
