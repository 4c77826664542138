import { Gauge } from 'prom-client';
import { later, origin, timelineOf, type Position } from '../positions/position.js';
import type { ServerState } from '../postgres/postgres-server.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import { uuidv7 } from '../ids/uuid.js';
import { logger } from '../logging/logger.js';
import { registry } from '../metrics/registry.js';
import type { Beginning, ConsistencyStore } from './consistency-store.port.js';
import { Lease, noticeMs } from './lease.js';
import { Protections } from './protections.js';
import { ConsistencyView } from '../context/consistency-view.js';

const trusted = new Gauge({
  name: 'consistency_trusted',
  aggregator: 'min',
  help: '1 while caches and replicas are used by what the store says, else 0.',
  registers: [registry],
});

const leaseHeld = new Gauge({
  name: 'consistency_lease_held',
  help: '1 while this process writes without Redis and so keeps all others from trusting it, else 0.',
  registers: [registry],
});

/** Writes that were under way when the connection to Redis was made anew have ended by then, or know that it broke. */
const linkSettleMs = 1000;
const startWaitMs = 2000;

/**
 * Decides what a request may rely on: whether the lastWrites tell the truth now, and from which position on they do. The
 * mechanism with its reasons is docs/adr/0006-consistency-by-positions.md.
 */
export class Consistency {
  readonly lease: Lease;
  /** Nothing that was known before it counts: it rises to the primary's position whenever something may have been missed. */
  private minimumPosition: Position = origin;
  /** Something may have been missed, and no poll since has raised the minimumPosition over it. */
  private isMissing = true;
  private timeline = 0;
  /** When the primary was last asked with success: for leases among others. */
  private polledAt = -Infinity;
  /** Writes under way, each with the store's epoch in which it was marked; null where it was not. */
  private readonly writes = new Set<{ readonly epoch: number | null }>();
  /** When the last of them ended that no other process was told of. */
  private silentUntil = -Infinity;

  constructor(
    readonly servers: PostgresServers,
    /** Null: this process lastWrites nothing and caches nothing, as a command does. */
    readonly store: ConsistencyStore | null,
    readonly processId: string = uuidv7(),
    readonly protections: Protections = new Protections(),
  ) {
    this.lease = new Lease(servers, processId);
    servers.onPoll(() => this.onPoll());
    store?.onChange(() => this.onStoreChange());
    trusted.set(0);
  }

  /**
   * Shows this process to the others where it has to: one whose store is shared with nobody may not be alone, and one
   * without Redis writes unseen.
   */
  async start(): Promise<void> {
    const { store } = this;
    if (store === null || !this.protections.isOn('lease')) return;
    if (!store.isShared) await this.lease.untilEffective(startWaitMs);
    else if (!(await store.untilUp(startWaitMs))) this.lease.hold();
  }

  async stop(): Promise<void> {
    await this.lease.stop();
  }

  /** Whether lastWrites tell the truth now. */
  isTrusted(now = performance.now()): boolean {
    if (this.store?.isUp !== true) return false;
    if (!this.isPollFresh(now)) this.miss('the leases could not be looked at');
    return !this.isMissing;
  }

  /** What a request may rely on; `beginning` null where the store could not be asked. */
  viewOf(userId: string, beginning: Beginning | null, token: Position | null): ConsistencyView {
    const known = beginning !== null && this.isTrusted() ? beginning : null;
    return new ConsistencyView(
      userId,
      known && new Map(known.lastWrites),
      known?.missing ?? null,
      this.minimumPosition,
      token,
    );
  }

  /** Replaces what is unknown by the primary's position of now. Leaves it unknown where the primary can't be asked. */
  async settle(view: ConsistencyView, features: readonly string[]): Promise<void> {
    const unsettled = view.unsettled(features);
    const { store } = this;
    if (unsettled.length === 0 || store === null) return;
    try {
      const position = await this.askPosition();
      const settled = unsettled.map(async (feature) =>
        view.learn(feature, await store.settle(view.userId, feature, position)),
      );
      await Promise.all(settled);
    } catch (error) {
      logger.debug({ err: error }, 'what is unknown stays so');
    }
  }

  /**
   * For the time of a write that was marked in that epoch of the store, or, null, that no other process is told of. One
   * whose intents were lost meanwhile is like one that never had any: the lease stands until it has ended.
   */
  beginWrite(epoch: number | null): () => void {
    const write = { epoch };
    this.writes.add(write);
    return () => {
      if (this.writes.delete(write) && !this.isMarked(write)) this.silentUntil = performance.now();
    };
  }

  /** Whether the others can know of a write that was marked in that epoch. */
  private isMarked({ epoch }: { readonly epoch: number | null }): boolean {
    return epoch !== null && epoch === this.store?.epoch;
  }

  /** Whether all that this process writes now is told to the others. */
  private isTelling(): boolean {
    return this.store?.isUp === true && [...this.writes].every((write) => this.isMarked(write));
  }

  holdLease(): void {
    if (this.protections.isOn('lease')) this.lease.hold();
  }

  /** Of the primary, past all that was acknowledged before the call. */
  private async askPosition(): Promise<Position> {
    const { primary } = this.servers;
    const startedAt = performance.now();
    await primary?.ask();
    const state = primary?.state ?? null;
    // A primary that is slow to answer is still known by what it said before.
    if (state === null || state.isStandby || state.askedAt < startedAt)
      throw new Error('the primary does not answer');
    return state.position;
  }

  private onPoll(): void {
    const state = this.servers.primary?.state ?? null;
    const now = performance.now();
    // Before this poll counts: one that comes too late tells nothing of the time in between.
    if (!this.isPollFresh(now)) this.miss('the leases could not be looked at');
    if (state !== null) this.hear(state, now);
    leaseHeld.set(this.lease.isHeld ? 1 : 0);
    trusted.set(this.isTrusted(now) ? 1 : 0);
  }

  private hear({ position, leases, askedAt }: ServerState, now: number): void {
    this.polledAt = Math.max(this.polledAt, askedAt);
    if (leases > 0 && this.protections.isOn('lease')) this.miss('another process writes without Redis');
    if (timelineOf(position) !== this.timeline) {
      this.timeline = timelineOf(position);
      this.isMissing = true;
    }
    if (this.isMissing && this.mayRaise(leases, askedAt, now)) this.raise(position);
    // Not only once this process trusts again: of two that wait for the end of each other's lease none would.
    if (this.store?.isShared === true && this.isTelling() && this.isLinkSettled(askedAt))
      this.lease.release();
  }

  /** Nobody writes missing any more, and the poll began after that: its position is past all that was missed. */
  private mayRaise(leases: number, askedAt: number, now: number): boolean {
    const isAlone = leases === 0 || !this.protections.isOn('lease');
    const isTold = this.store?.isShared === false || (this.isTelling() && askedAt > this.silentUntil);
    return this.isLinkSettled(askedAt) && isAlone && isTold && this.isPollFresh(now);
  }

  private isLinkSettled(askedAt: number): boolean {
    const { store } = this;
    if (store === null || !store.isUp || store.upSince === null) return false;
    if (!store.isShared) return true;
    return askedAt - store.upSince >= linkSettleMs;
  }

  private raise(position: Position): void {
    this.isMissing = false;
    this.minimumPosition = this.protections.isOn('floor')
      ? later(this.minimumPosition, position)
      : this.minimumPosition;
    logger.info('caches and replicas are in use');
  }

  private miss(reason: string): void {
    if (this.isMissing) return;
    this.isMissing = true;
    logger.warn({ reason }, 'caches are out of use: reads go to the primary');
  }

  private onStoreChange(): void {
    if (this.store?.isUp === true) return;
    this.miss('Redis is lost');
    // At once, not with the next write: which then finds that all others have noticed.
    this.holdLease();
  }

  /** The leases were looked at less than a second ago, or nobody can have written since. */
  private isPollFresh(now: number): boolean {
    return now - this.polledAt < noticeMs || this.servers.isPrimaryGone(now);
  }
}
