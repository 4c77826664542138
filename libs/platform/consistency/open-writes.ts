import type { ConsistencyStore } from './consistency-store.port.js';

/** The writes of this process that are under way, and whether other processes can know of them. */
export class OpenWrites {
  /** Each with the epoch of the store in which its intents were announced; null where they were not. */
  private readonly open = new Set<{ readonly epoch: number | null }>();
  /** When the last write ended that no other process could know of. */
  private lastUnannouncedEnd = -Infinity;

  constructor(private readonly store: ConsistencyStore | null) {}

  /**
   * Begins a write whose intents were announced in that epoch of the store; null: they were not. Returns what ends it. A
   * store that has lost the intents meanwhile makes it a write that was never announced.
   */
  begin(epoch: number | null): () => void {
    const write = { epoch };
    this.open.add(write);
    return () => {
      if (this.open.delete(write) && !this.isAnnounced(write)) this.lastUnannouncedEnd = performance.now();
    };
  }

  /** Whether other processes can know of all writes under way. */
  get areAnnounced(): boolean {
    return this.store?.isUp === true && [...this.open].every((write) => this.isAnnounced(write));
  }

  /** Until when other processes could not know of all writes, by the monotonic clock; Infinity while they can not. */
  get unannouncedUntil(): number {
    return this.areAnnounced ? this.lastUnannouncedEnd : Infinity;
  }

  private isAnnounced({ epoch }: { readonly epoch: number | null }): boolean {
    return epoch !== null && epoch === this.store?.epoch;
  }
}
