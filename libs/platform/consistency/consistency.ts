import type { Gauge } from 'prom-client';
import { currentCall } from '../context/call-context.js';
import { ConsistencyView } from '../context/consistency-view.js';
import { Deadline } from '../context/deadline.js';
import { logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { later, origin, timelineOf, type Position } from '../positions/position.js';
import type { ServerState } from '../postgres/postgres-server.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import type { Beginning, ConsistencyStore } from './consistency-store.port.js';
import { noticeMs, type Lease } from './lease.js';
import { OpenWrites } from './open-writes.js';

/** Writes that were under way when Redis was connected again have ended by then, or know that the old connection broke. */
const connectionSettleMs = 1000;
const startWaitMs = 2000;

export interface ConsistencyParts {
  readonly servers: PostgresServers;
  /** Null: this process stores no last-write positions and caches nothing, as a command does. */
  readonly store: ConsistencyStore | null;
  readonly lease: Lease;
  readonly metrics: Metrics;
}

/**
 * Decides what a call may rely on: whether the last-write positions are complete now, and since which position they are.
 * How this works, and why, is in docs/adr/0006-consistency-by-positions.md.
 */
export class Consistency {
  readonly servers: PostgresServers;
  readonly store: ConsistencyStore | null;
  readonly lease: Lease;
  readonly writes: OpenWrites;
  /** Older positions do not count. It rises to the primary's position whenever a write may have been missed. */
  private minimumPosition: Position = origin;
  /** A write may have been missed, and the minimum position is not past it yet. */
  private isMissing = true;
  private timeline = 0;
  /** When the primary last answered the poll for positions and leases; by the monotonic clock. */
  private polledAt = -Infinity;
  private readonly trustedGauge: Gauge;
  private readonly leaseGauge: Gauge;

  constructor({ servers, store, lease, metrics }: ConsistencyParts) {
    this.servers = servers;
    this.store = store;
    this.lease = lease;
    this.writes = new OpenWrites(store);
    this.trustedGauge = metrics.gauge({
      name: 'consistency_trusted',
      aggregator: 'min',
      help: '1 while caches and replicas are used by the last-write positions of the consistency store, else 0.',
    });
    this.leaseGauge = metrics.gauge({
      name: 'consistency_lease_held',
      help: '1 while this process writes without Redis, so that all other processes stop using caches, else 0.',
    });
    servers.onPoll(() => this.onPoll());
    store?.onChange(() => this.onStoreChange());
    this.trustedGauge.set(0);
  }

  /**
   * Takes the lease when other processes must notice this one: if its store is not shared, because there may be other
   * processes, and if Redis is not reached, because it writes without write intents.
   */
  async start(): Promise<void> {
    const { store } = this;
    if (store === null) return;
    if (!store.isShared) await this.lease.untilEffective(startWaitMs);
    else if (!(await store.untilUp(startWaitMs))) this.lease.hold();
  }

  async stop(): Promise<void> {
    await this.lease.stop();
  }

  /** Whether the last-write positions are complete now. */
  isTrusted(now = performance.now()): boolean {
    if (this.store?.isUp !== true) return false;
    if (!this.isPollFresh(now)) this.miss('the leases could not be looked at');
    return !this.isMissing;
  }

  /** What a call of the user may rely on. `beginning` null: the store could not be asked. */
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

  /**
   * Replaces last writes that are unknown by the primary's current position. They stay unknown where the primary does not
   * answer, or not within the deadline of the call.
   */
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
      logger.debug({ err: error }, 'unknown last writes could not be settled');
    }
  }

  /** Whether another process holds a lease in the primary: it writes without write intents. */
  protected othersHoldLease({ leases }: ServerState): boolean {
    return leases > 0;
  }

  /** Raises the minimum position once the primary has reached `position` and no write was missed. */
  protected minimumFor(position: Position): Position {
    return later(this.minimumPosition, position);
  }

  /** The primary's position, past all that was acknowledged before the call. */
  private async askPosition(): Promise<Position> {
    const { primary } = this.servers;
    const startedAt = performance.now();
    const deadline = currentCall()?.deadline ?? Deadline.none;
    if (primary !== null) await deadline.limit(primary.ask());
    const state = primary?.state ?? null;
    // A primary that is slow to answer keeps its earlier state.
    if (state === null || state.isStandby || state.askedAt < startedAt)
      throw new Error('the primary does not answer');
    return state.position;
  }

  private onPoll(): void {
    const state = this.servers.primary?.state ?? null;
    const now = performance.now();
    // Before this poll counts: a late poll says nothing about the time before it.
    if (!this.isPollFresh(now)) this.miss('the leases could not be looked at');
    if (state !== null) this.hear(state, now);
    this.leaseGauge.set(this.lease.isHeld ? 1 : 0);
    this.trustedGauge.set(this.isTrusted(now) ? 1 : 0);
  }

  private hear(state: ServerState, now: number): void {
    const { position, askedAt } = state;
    this.polledAt = Math.max(this.polledAt, askedAt);
    if (this.othersHoldLease(state)) this.miss('another process writes without Redis');
    if (timelineOf(position) !== this.timeline) {
      this.timeline = timelineOf(position);
      this.isMissing = true;
    }
    if (this.isMissing && this.mayRaise(state, now)) this.raise(position);
    // Released even before this process trusts the store: otherwise two processes would wait for each other's lease forever.
    if (this.store?.isShared === true && this.writes.areAnnounced && this.isConnectionSettled(askedAt))
      this.lease.release();
  }

  /** No process writes unnoticed any more, and the poll began after that: its position is past all missed writes. */
  private mayRaise(state: ServerState, now: number): boolean {
    const { askedAt } = state;
    const areOwnKnown =
      this.store?.isShared === false || (this.writes.areAnnounced && askedAt > this.writes.unannouncedUntil);
    return (
      this.isConnectionSettled(askedAt) &&
      !this.othersHoldLease(state) &&
      areOwnKnown &&
      this.isPollFresh(now)
    );
  }

  private isConnectionSettled(askedAt: number): boolean {
    const { store } = this;
    if (store === null || !store.isUp || store.upSince === null) return false;
    if (!store.isShared) return true;
    return askedAt - store.upSince >= connectionSettleMs;
  }

  private raise(position: Position): void {
    this.isMissing = false;
    this.minimumPosition = this.minimumFor(position);
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
    // Now, not at the next write: then all other processes have already noticed.
    this.lease.hold();
  }

  /** The leases were read less than a second ago, or no process can have written since. */
  private isPollFresh(now: number): boolean {
    return now - this.polledAt < noticeMs || this.servers.isPrimaryGone(now);
  }
}
