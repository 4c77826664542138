import type { DatabaseView } from '../context/consistency-view.js';
import { logger } from '../logging/logger.js';
import { isSameDatabase, later, timelineOf, type Position } from '../positions/position.js';
import type { ConsistencyStore } from './consistency-store.port.js';
import type { DatabaseFacts } from './database-owner.port.js';
import { noticeMs } from './lease.js';

/** Writes that were under way when Redis was connected again have ended by then, or know that the old connection broke. */
const connectionSettleMs = 1000;

/** What a process hears of a database, from its primary or from a process that it belongs to. */
export interface DatabaseReport extends DatabaseFacts {
  /** Since when all of this is true at the least, by the monotonic clock of the hearer. */
  readonly askedAt: number;
}

export interface DatabaseTrustOptions {
  readonly store: ConsistencyStore | null;
  /** Where the process writes to this database itself: until when other processes could not know of its writes. Infinity: still. */
  readonly unannouncedUntil?: () => number;
}

/**
 * Whether the last-write positions that the store has for one database are complete now, and since which position they are.
 */
export class DatabaseTrust {
  /** Older positions do not count. It rises to the primary's position whenever a write may have been missed. */
  private minimum: Position | null = null;
  /** A write may have been missed, and the minimum position is not past it yet. */
  private isMissing = true;
  private heardAt = -Infinity;

  constructor(private readonly options: DatabaseTrustOptions) {}

  view(now = performance.now()): DatabaseView {
    return { isTrusted: this.isTrusted(now), minimum: this.minimum };
  }

  isTrusted(now = performance.now()): boolean {
    if (this.options.store?.isUp !== true) return false;
    this.checkFreshness(now);
    return !this.isMissing;
  }

  /** Nothing is trusted until the database is heard of again. */
  miss(reason: string): void {
    if (this.isMissing) return;
    this.isMissing = true;
    logger.warn({ reason }, 'caches are out of use: reads go to the primary');
  }

  /** Before a new report counts: a late one says nothing about the time before it. */
  checkFreshness(now: number): void {
    if (!this.isFresh(now)) this.miss('the leases could not be looked at');
  }

  hear(report: DatabaseReport, now = performance.now()): void {
    this.checkFreshness(now);
    this.heardAt = Math.max(this.heardAt, report.askedAt);
    if (this.isLeased(report)) this.miss('another process writes without Redis');
    if (this.isAnotherOne(report.position)) this.isMissing = true;
    if (this.isMissing && this.mayRaise(report, now)) this.raise(report.position);
  }

  /** No write from before this connection to the store is under way. */
  isConnectionSettled(askedAt: number): boolean {
    const { store } = this.options;
    if (store === null || !store.isUp || store.upSince === null) return false;
    if (!store.isShared) return true;
    return askedAt - store.upSince >= connectionSettleMs;
  }

  /** The database belongs to other processes. */
  protected get isRemote(): boolean {
    return this.options.unannouncedUntil === undefined;
  }

  /** Whether another process holds a lease in the primary: it writes without write intents. */
  protected isLeased({ leases }: DatabaseReport): boolean {
    return leases > 0;
  }

  /** Raises the minimum position once the primary has reached `position` and no write was missed. */
  protected minimumFor(position: Position): Position {
    const { minimum } = this;
    return minimum !== null && isSameDatabase(minimum, position) ? later(minimum, position) : position;
  }

  /** Another database than before, or a new timeline of it. */
  private isAnotherOne(position: Position): boolean {
    const { minimum } = this;
    if (minimum === null) return true;
    return !isSameDatabase(minimum, position) || timelineOf(minimum) !== timelineOf(position);
  }

  /** No process writes unnoticed any more, and the report is from after that: its position is past all missed writes. */
  private mayRaise(report: DatabaseReport, now: number): boolean {
    const { store, unannouncedUntil } = this.options;
    const areOwnKnown = store?.isShared === false || report.askedAt > (unannouncedUntil?.() ?? -Infinity);
    return (
      this.isConnectionSettled(report.askedAt) && !this.isLeased(report) && areOwnKnown && this.isFresh(now)
    );
  }

  private raise(position: Position): void {
    this.isMissing = false;
    this.minimum = this.minimumFor(position);
    logger.info('caches and replicas are in use');
  }

  /** The leases were looked at less than a second ago. */
  private isFresh(now: number): boolean {
    return now - this.heardAt < noticeMs;
  }
}
