import type { Gauge } from 'prom-client';
import { timedOut, withTimeout } from '../async/with-timeout.js';
import type { Answered } from '../context/answered.js';
import { CallContext, currentCall } from '../context/call-context.js';
import { ConsistencyView, type DatabaseView } from '../context/consistency-view.js';
import { Deadline } from '../context/deadline.js';
import type { LastWrites } from '../context/last-write.js';
import { userScope, type Scope } from '../context/scope.js';
import { logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Position } from '../positions/position.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import type { ServerState } from '../postgres/server-state.js';
import { RedisUnavailable } from '../redis/redis-connection.js';
import type { ConsistencyStore } from './consistency-store.port.js';
import type { DatabaseOwner, OwnerReport } from './database-owner.port.js';
import type { DatabaseTrust } from './database-trust.js';
import { noticeMs, type Lease } from './lease.js';
import { OpenWrites } from './open-writes.js';
import { RemoteDatabase } from './remote-database.js';

const startWaitMs = 2000;

/** What a process knows of the databases, and the epoch of its store, at one moment. */
export interface Known {
  readonly databaseOf: (feature: string) => DatabaseView;
  readonly epoch: number;
}

export interface ConsistencyParts {
  readonly servers: PostgresServers;
  /** Null: this process stores no last-write positions and caches nothing, as a command does. */
  readonly store: ConsistencyStore | null;
  readonly lease: Lease;
  /** Owners of other databases that this process relies on. */
  readonly owners: readonly DatabaseOwner[];
  readonly metrics: Metrics;
  readonly Trust: typeof DatabaseTrust;
}

/**
 * Decides what a call may rely on: for each database, whether its last-write positions are complete now, and since which
 * position they are. How this works, and why, is in docs/adr/0006-consistency-by-positions.md.
 */
export class Consistency {
  readonly servers: PostgresServers;
  readonly store: ConsistencyStore | null;
  readonly lease: Lease;
  readonly writes: OpenWrites;
  /** In the database of this process. */
  private readonly own: DatabaseTrust;
  private readonly remotes: readonly RemoteDatabase[];
  /** In all databases. */
  private readonly trusts: readonly DatabaseTrust[];
  private readonly remoteByFeature: ReadonlyMap<string, DatabaseTrust>;
  private readonly trustedGauge: Gauge;
  private readonly leaseGauge: Gauge;

  constructor({ servers, store, lease, owners, metrics, Trust }: ConsistencyParts) {
    this.servers = servers;
    this.store = store;
    this.lease = lease;
    this.writes = new OpenWrites(store);
    this.own = new Trust({
      store,
      unannouncedUntil: () => this.writes.unannouncedUntil,
    });
    this.remotes = owners.map((owner) => new RemoteDatabase(owner, new Trust({ store })));
    this.trusts = [this.own, ...this.remotes.map(({ trust }) => trust)];
    this.remoteByFeature = new Map(
      this.remotes.flatMap(({ owner, trust }) => owner.features.map((feature) => [feature, trust] as const)),
    );
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
    await Promise.all(this.remotes.map((remote) => remote.start()));
    if (!store.isShared) await this.lease.untilEffective(startWaitMs);
    else if (!(await store.untilUp(startWaitMs))) this.lease.hold();
  }

  async stop(): Promise<void> {
    for (const remote of this.remotes) remote.stop();
    await this.lease.stop();
  }

  /** Whether the last-write positions of all databases are complete now. */
  isTrusted(now = performance.now()): boolean {
    return this.trusts.every((trust) => trust.isTrusted(now));
  }

  /** Whether the feature's data is in the database of this process. */
  isOwn(feature: string): boolean {
    return !this.remoteByFeature.has(feature);
  }

  /** What is known of the databases now. To be taken before the store is asked for what goes into the view of a call. */
  known(): Known {
    return { databaseOf: this.databaseViews(), epoch: this.store?.epoch ?? 0 };
  }

  /**
   * What a call of the user may rely on. `lastWrites`: what the store answered after `known` was taken; null: it could not
   * be asked.
   *
   * A minimum position that has risen since then may be past a commit that nobody sees yet, and whose intent came after the
   * answer: what the call reads would be cached as being past that commit. So the call relies on nothing then.
   */
  viewOf(
    userId: string,
    known: Known,
    lastWrites: Map<Scope, LastWrites> | null,
    token: readonly Position[],
  ): ConsistencyView {
    const now = this.databaseViews();
    const databaseOf = (feature: string): DatabaseView => {
      const [before, after] = [known.databaseOf(feature), now(feature)];
      const isSame = before.isTrusted && before.minimum === after.minimum;
      if (isSame) return after;
      return { isTrusted: false, minimum: after.minimum, isRising: before.isTrusted };
    };
    return new ConsistencyView({ userId, databaseOf, lastWrites, token, epoch: known.epoch });
  }

  /**
   * Reads for a process that relies on this database without access to it, and returns with the value the positions that it
   * shows. `features` are what the value depends on, in the view of the user.
   */
  async answer<T>(userId: string, features: readonly string[], read: () => Promise<T>): Promise<Answered<T>> {
    // Before the store is asked: what is written later than that has an intent, or is beyond this position.
    const { own } = this;
    const { position, isCommitWaiting = false } = this.servers.primary?.state ?? {};
    const minimum = position ?? own.view().minimum;
    const trusted = { isTrusted: own.isTrusted() && !isCommitWaiting && minimum !== null, minimum };
    const epoch = this.store?.epoch ?? 0;
    const lastWrites = await this.askStore([userScope(userId)]);
    const view = new ConsistencyView({ userId, databaseOf: () => trusted, lastWrites, epoch });
    await this.prepare(view, features);
    const stamp = view.versionStampOf(features, [view.scope]);
    const { requestId = null, deadline = Deadline.none } = currentCall() ?? {};
    const call = new CallContext({ requestId, deadline });
    call.view = view;
    return { value: await call.run(read), stamp };
  }

  /**
   * Prepares a view for reads of these scopes: asks the store about those that it was not asked about yet, and replaces last
   * writes that are unknown by the primary's current position. They stay unknown where the store or the primary does not
   * answer, or not within the deadline of the call, and where the database is another process': only that one settles them.
   *
   * @returns null where there is nothing to wait for, as in most calls
   */
  prepare(
    view: ConsistencyView,
    features: readonly string[],
    scopes: readonly Scope[] = [view.scope],
  ): Promise<void> | null {
    return view.isPrepared(features, scopes) ? null : this.askAndSettle(view, features, scopes);
  }

  /** For processes that rely on this database. @throws Error where nothing is known of it now */
  report(now = performance.now()): OwnerReport {
    const state = this.provenState;
    if (state === null || !Number.isFinite(state.askedAt))
      throw new Error('No primary has proven to be one.');
    // This process' own writes without intents count, too, until the primary was asked after them.
    const isUnannounced = this.lease.isHeld || state.askedAt <= this.writes.unannouncedUntil;
    return {
      position: state.position,
      leases: state.leases + (isUnannounced ? 1 : 0),
      isCommitWaiting: state.isCommitWaiting,
      ageMs: now - state.askedAt,
    };
  }

  private databaseViews(): (feature: string) => DatabaseView {
    const now = performance.now();
    const isCommitWaiting = this.servers.primary?.state?.isCommitWaiting === true;
    const own = { ...this.own.view(now), isCommitWaiting };
    if (this.remotes.length === 0) return () => own;
    const views = new Map([...this.remoteByFeature].map(([feature, trust]) => [feature, trust.view(now)]));
    return (feature) => views.get(feature) ?? own;
  }

  /** Null where the store is down or does not answer in time. */
  private async askStore(scopes: readonly Scope[]): Promise<Map<Scope, LastWrites> | null> {
    const { store } = this;
    if (store?.isUp !== true) return null;
    try {
      const answer = await withTimeout(store.ask(scopes), store.readTimeoutMs);
      return answer === timedOut ? null : new Map(answer);
    } catch (error) {
      if (error instanceof RedisUnavailable) return null;
      throw error;
    }
  }

  private async askAndSettle(
    view: ConsistencyView,
    features: readonly string[],
    scopes: readonly Scope[],
  ): Promise<void> {
    const unasked = view.unasked(scopes);
    if (unasked.length > 0) await this.askMore(view, unasked);
    for (const feature of features) {
      const unsettled = view.unsettled(feature, scopes);
      if (unsettled.length > 0 && this.isOwn(feature)) await this.settle(view, feature, unsettled);
    }
  }

  private async askMore(view: ConsistencyView, scopes: readonly Scope[]): Promise<void> {
    const found = await this.askStore(scopes);
    // Since the call began the store may have been lost and be an older one now.
    if (found === null || view.epoch !== this.store?.epoch) view.distrust();
    else for (const [scope, lastWrites] of found) view.learn(scope, lastWrites);
  }

  private async settle(view: ConsistencyView, feature: string, scopes: readonly Scope[]): Promise<void> {
    const { store } = this;
    if (store === null) return;
    try {
      const position = await this.askPosition();
      const settled = scopes.map(async (scope) =>
        view.learnOne(feature, scope, await store.settle(scope, feature, position)),
      );
      await Promise.all(settled);
    } catch (error) {
      logger.debug({ err: error }, 'unknown last writes could not be settled');
    }
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
    if (performance.now() >= this.servers.readableUntil) throw new Error('another primary may be there');
    // Its position is past that commit, but what is read now is not.
    if (state.isCommitWaiting) throw new Error('a commit waits for a standby');
    return state.position;
  }

  /**
   * What the primary says, as of the last time that it is sure to have been the primary; null: it is not there. On another server someone may
   * write without Redis, and the leases would be there.
   */
  private get provenState(): ServerState | null {
    const state = this.servers.primary?.state ?? null;
    if (state === null) return null;
    return { ...state, askedAt: Math.min(state.askedAt, this.servers.readableUntil - noticeMs) };
  }

  private onPoll(): void {
    const state = this.provenState;
    const now = performance.now();
    if (state === null) this.own.checkFreshness(now);
    else {
      this.own.hear(state, now);
      this.releaseLease(state.askedAt);
    }
    this.leaseGauge.set(this.lease.isHeld ? 1 : 0);
    this.trustedGauge.set(this.isTrusted(now) ? 1 : 0);
  }

  /** Even before this process trusts the store: otherwise two processes would wait for each other's lease forever. */
  private releaseLease(askedAt: number): void {
    if (this.store?.isShared !== true || !this.writes.areAnnounced) return;
    if (this.own.isConnectionSettled(askedAt)) this.lease.release();
  }

  private onStoreChange(): void {
    if (this.store?.isUp === true) return;
    for (const trust of this.trusts) trust.miss('Redis is lost');
    // Now, not at the next write: then all other processes have already noticed.
    this.lease.hold();
  }
}
