import { currentCall } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { logger } from '../logging/logger.js';
import { covers, databaseOf, timelineOf, type Position } from '../positions/position.js';
import { acknowledgement, readableUntil } from './commit-rule.js';
import { DatabaseUnavailable } from './database-unavailable.js';
import { LagMeter } from './lag-meter.js';
import { MemberReads, type ReadPoint } from './member-reads.js';
import { Membership } from './membership.js';
import { PollLoop } from './poll-loop.js';
import { recordPrimary } from './record-primary.js';
import type { MeasuredServers, PostgresMetrics } from './postgres-metrics.js';
import type { PostgresServer } from './postgres-server.js';
import type { ServerState } from './server-state.js';
import type { PostgresConfig } from './postgres.config.js';
import { WaitingCalls } from './waiting-calls.js';

/** An older answer says nothing about now: the process may have slept. */
const freshMs = 1000;
/** How long a write waits for a primary that may be written to: less than the 15 s that a call has, so that it gets an answer. */
const writeWaitMs = 14_000;
/** Writes that may wait so at the same time, and those of one user. The others fail at once. */
const maxWaitingWrites = 500;
const maxWaitingWritesOfUser = 5;
const primaryPollMs = 250;

export type ServersConfig = Pick<
  PostgresConfig,
  'DATABASE_MAX_REPLICA_LAG_MS' | 'DATABASE_PROMOTION' | 'READS_WITHOUT_PRIMARY'
>;

/** The servers of one database. They are polled all the time; the answers tell which one is the primary. */
export class PostgresServers implements MeasuredServers {
  /** The newest timeline that any server was seen to write on: a primary on an older one has been replaced. */
  private newestTimeline = 0;
  /** The primary that was adopted last: which server it is, and the id of its database. */
  private adopted = { identity: '', database: '' };
  private current: PostgresServer | null = null;
  private readonly lag = new LagMeter();
  private readonly polls: PollLoop;
  private readonly memberReads: MemberReads;
  private readonly membership: Membership;
  private readonly waitingWrites = new WaitingCalls(maxWaitingWrites, maxWaitingWritesOfUser);
  private readonly isPromotionAutomatic: boolean;
  private turn = 0;

  constructor(
    readonly all: readonly PostgresServer[],
    private readonly config: ServersConfig,
    private readonly metrics: PostgresMetrics,
  ) {
    this.isPromotionAutomatic = config.DATABASE_PROMOTION === 'automatic';
    this.polls = new PollLoop(all, () => this.evaluate());
    this.memberReads = new MemberReads(all, () => this.newestTimeline);
    this.membership = new Membership(all, this.isPromotionAutomatic);
  }

  /** Begins to poll. Resolves when each server was asked once. */
  async start(): Promise<void> {
    this.metrics.watch(this);
    await this.polls.start();
  }

  async stop(): Promise<void> {
    this.polls.stop();
    this.metrics.watch(null);
    await Promise.all(this.all.map((server) => server.close()));
  }

  /** Resolves when there is a primary, however long that takes. @throws the reason of `stop` */
  async untilPrimary(stop: AbortSignal): Promise<void> {
    while (this.current === null) {
      stop.throwIfAborted();
      await this.nextPoll(primaryPollMs);
    }
  }

  /** The same, or until reads can be answered without one. @throws the reason of `stop` */
  async untilReadable(stop: AbortSignal): Promise<void> {
    while (!(await this.isAnyReadable())) {
      stop.throwIfAborted();
      await this.nextPoll(primaryPollMs);
    }
  }

  private async isAnyReadable(): Promise<boolean> {
    const isNow = this.readable(null) !== null || this.mostRecent() !== null;
    return isNow || (await this.memberReads.get()) !== null;
  }

  /** Resolves when a server has been asked, or after that time. */
  nextPoll(timeoutMs: number): Promise<void> {
    return this.polls.waitUntil(() => true, timeoutMs);
  }

  /** Calls `listener` whenever a server has been asked. Returns what ends that. */
  onPoll(listener: () => void): () => void {
    return this.polls.onPoll(listener);
  }

  get primary(): PostgresServer | null {
    return this.current;
  }

  /**
   * The primary, where it may be read: there is evidence that it still is the primary. With `needed`: on the timeline of that position
   * or a later one, where that is a position of this database. Null where there is no such server.
   */
  readable(needed: Position | null, now = performance.now()): PostgresServer | null {
    return now < this.readableUntil && this.isPrimaryOn(needed) ? this.current : null;
  }

  /** Until when the primary may be read, by the monotonic clock; Infinity: for as long as it answers. */
  get readableUntil(): number {
    const state = this.primaryState;
    return state === null ? -Infinity : readableUntil(state, this.isPromotionAutomatic);
  }

  /** The primary has answered within the last second. */
  isPrimaryAnswering(now = performance.now()): boolean {
    const state = this.primaryState;
    return state !== null && now - state.askedAt < freshMs;
  }

  /** See `MemberReads`. */
  withoutPrimary(
    view: { readonly written: readonly Position[] },
    isAnew: boolean,
  ): Promise<ReadPoint | null> {
    return this.memberReads.of(view, isAnew);
  }

  /** Where reads may lack what was acknowledged: the server that has most. Else null. */
  mostRecent(): PostgresServer | null {
    if (this.config.READS_WITHOUT_PRIMARY !== 'available') return null;
    let best: PostgresServer | null = null;
    for (const server of this.all) {
      const { state } = server;
      if (state === null) continue;
      if (best === null || (best.state?.position ?? '') < state.position) best = server;
    }
    return best;
  }

  /**
   * The server to write to, at once where it is there, else waited for. Its commits may be acknowledged.
   *
   * @throws DatabaseUnavailable where there was none for 14 s or until the deadline, or where too many wait already
   */
  writable(): PostgresServer | Promise<PostgresServer> {
    return this.writer ?? this.awaitWriter();
  }

  /**
   * An operator says that none of the standbys of before will ever serve again without being made anew: commits are acknowledged by the
   * settings that the primary has now. Returns whether that changed anything.
   *
   * @throws DatabaseUnavailable
   */
  async forgetStandbys(): Promise<boolean> {
    const primary = this.current;
    if (primary === null) throw new DatabaseUnavailable();
    return this.membership.forget(primary);
  }

  private get writer(): PostgresServer | null {
    const state = this.primaryState;
    if (state === null) return null;
    const { standbyNames, rule } = state;
    const settings = { standbyNames, level: 'on', rule: rule?.number ?? null };
    return acknowledgement(state, settings, this.isPromotionAutomatic) === 'no' ? null : this.current;
  }

  private async awaitWriter(): Promise<PostgresServer> {
    const call = currentCall();
    const done = this.waitingWrites.begin(call?.caller?.userId ?? null);
    if (done === null) throw new DatabaseUnavailable(new Error('Too many writes wait for a primary.'));
    try {
      const deadline = call?.deadline ?? Deadline.none;
      await deadline.limit(this.polls.waitUntil(() => this.writer !== null, writeWaitMs));
    } catch (error) {
      throw new DatabaseUnavailable(error);
    } finally {
      done();
    }
    const { writer } = this;
    if (writer === null) throw new DatabaseUnavailable();
    return writer;
  }

  private isPrimaryOn(needed: Position | null): boolean {
    const state = this.primaryState;
    return state !== null && (needed === null || isOnTimeline(state.position, needed));
  }

  /** The least busy standby that has replayed `needed` and does not lag too much, except `besides`; null if there is none. */
  replicaFor(needed: Position, besides: PostgresServer | null): PostgresServer | null {
    return this.leastBusy(besides, (server) => server.isShared || this.isGood(server, needed));
  }

  /** Whether a server that answered like this may serve a read that needs `needed`. */
  isRight(isStandby: boolean, position: Position, needed: Position): boolean {
    return (
      (isStandby
        ? timelineOf(position) === this.newestTimeline
        : timelineOf(position) >= this.newestTimeline) && covers(position, needed)
    );
  }

  /** Lag by name of each standby; null if it is not known, as without a primary. */
  lagMsByName(): ReadonlyMap<string, number | null> {
    const standbys = this.all.filter(({ state }) => state?.isStandby === true);
    return new Map(standbys.map((server) => [server.name, this.lagMsOf(server)]));
  }

  protected leastBusy(
    besides: PostgresServer | null,
    isGood: (server: PostgresServer) => boolean,
  ): PostgresServer | null {
    let best: PostgresServer | null = null;
    // Servers that are equally busy, as all are on a quiet day, take turns.
    this.turn = (this.turn + 1) % this.all.length;
    for (const server of [...this.all.slice(this.turn), ...this.all.slice(0, this.turn)]) {
      if (server === this.current || server === besides || server.state?.isStandby !== true) continue;
      if (isGood(server) && (best === null || server.outstanding < best.outstanding)) best = server;
    }
    return best;
  }

  private get primaryState(): ServerState | null {
    return this.current?.state ?? null;
  }

  private isGood(server: PostgresServer, needed: Position): boolean {
    const { state } = server;
    return state !== null && this.isInRotation(server) && this.isRight(true, state.position, needed);
  }

  private isInRotation(server: PostgresServer): boolean {
    const lagMs = this.lagMsOf(server);
    return (
      server.state !== null &&
      performance.now() - server.state.askedAt < freshMs &&
      (lagMs === null || lagMs <= this.config.DATABASE_MAX_REPLICA_LAG_MS)
    );
  }

  private lagMsOf({ state }: PostgresServer): number | null {
    if (state === null || this.primaryState === null) return null;
    return this.lag.lagMs(state.position, state.askedAt);
  }

  /** The primary is the server that is not in recovery and writes on the newest timeline. */
  private async evaluate(): Promise<void> {
    const before = this.current;
    const { server, timeline } = this.findWriter();
    this.current = server !== null && (await this.isUsable(server, timeline)) ? server : null;
    const state = this.primaryState;
    if (this.current === null || state === null) return;
    this.lag.sample(state.position, state.askedAt);
    // Not waited for: its commits wait for the standbys.
    void this.membership.keep(this.current).then((isDone) => {
      if (isDone) this.polls.notify();
    });
    if (this.current === before) return;
    logger.info({ server: this.current.name, timeline }, 'this server is the primary');
    // The server at the other end of its connections has another role now.
    before?.reset();
  }

  private findWriter(): { server: PostgresServer | null; timeline: number } {
    let found: PostgresServer | null = null;
    let newest = 0;
    for (const server of this.all) {
      if (server.state === null || server.state.isStandby) continue;
      const timeline = timelineOf(server.state.position);
      if (timeline > newest) [found, newest] = [server, timeline];
    }
    return { server: found, timeline: newest };
  }

  private async isUsable(server: PostgresServer, timeline: number): Promise<boolean> {
    // Nothing is written to it: its history would differ even more from that of its successor.
    if (this.isReplaced(server)) return false;
    const isAdopted = this.isAdopted(server) || (await this.adopt(server, timeline));
    return isAdopted && timeline >= this.newestTimeline;
  }

  /** Another server was promoted since: it is the same database on an earlier timeline. */
  private isReplaced({ state }: PostgresServer): boolean {
    if (state === null || !state.isIdentified) return false;
    const { position } = state;
    return databaseOf(position) === this.adopted.database && timelineOf(position) < this.newestTimeline;
  }

  /** The server and its database were adopted, and this timeline, too. */
  private isAdopted({ state }: PostgresServer): boolean {
    if (state === null || !state.isIdentified || state.identity !== this.adopted.identity) return false;
    const { position } = state;
    return databaseOf(position) === this.adopted.database && timelineOf(position) <= this.newestTimeline;
  }

  /**
   * Gives the database an id where it needs one, and writes the row from which each standby, once it has replayed it, tells
   * that it is on this timeline. Until that is done the server does not count as the primary; the next poll tries again.
   */
  private async adopt(primary: PostgresServer, timeline: number): Promise<boolean> {
    try {
      await recordPrimary(primary, timeline);
      await primary.ask();
    } catch (error) {
      logger.warn(
        { err: error, server: primary.name },
        'the timeline of a new primary could not be recorded',
      );
      return false;
    }
    const { state } = primary;
    if (state === null || !state.isIdentified) return false;
    // Another database may have begun with an earlier timeline.
    const { identity, position } = state;
    const isSame = databaseOf(position) === this.adopted.database;
    this.newestTimeline = isSame ? Math.max(this.newestTimeline, timeline) : timeline;
    this.adopted = { identity, database: databaseOf(position) };
    this.lag.reset();
    return true;
  }
}

const isOnTimeline = (reached: Position, needed: Position): boolean =>
  databaseOf(reached) !== databaseOf(needed) || timelineOf(reached) >= timelineOf(needed);
