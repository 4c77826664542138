import { currentCall } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { logger } from '../logging/logger.js';
import { covers, databaseOf, timelineOf, type Position } from '../positions/position.js';
import { identifyDatabaseByNameSql, identifyDatabaseSql } from './database-identity.js';
import { DatabaseUnavailable } from './database-unavailable.js';
import { codeOf } from './error-code.js';
import { LagMeter } from './lag-meter.js';
import { PollLoop } from './poll-loop.js';
import type { MeasuredServers, PostgresMetrics } from './postgres-metrics.js';
import type { PostgresServer, ServerState } from './postgres-server.js';

/** An older answer says nothing about now: the process may have slept. */
const freshMs = 1000;
/** A standby without a primary tries to connect to one every five seconds, for a moment. */
const cutOffMs = 1500;
/** How long a call waits for a primary to appear before it fails. */
const primaryWaitMs = 1000;
const primaryPollMs = 250;

export interface ServersConfig {
  readonly DATABASE_MAX_REPLICA_LAG_MS: number;
}

/** The servers of one database. They are polled all the time; the answers tell which one is the primary. */
export class PostgresServers implements MeasuredServers {
  /** The newest timeline that any server was seen to write on: a primary on an older one has been replaced. */
  private newestTimeline = 0;
  /** The primary that was adopted last: which server it is, and the id of its database. */
  private adopted = { identity: '', database: '' };
  /** What the primary last answered; it stays when the primary is gone. */
  lastPrimaryState: ServerState | null = null;
  private current: PostgresServer | null = null;
  private readonly lag = new LagMeter();
  private readonly polls: PollLoop;
  private turn = 0;

  constructor(
    readonly all: readonly PostgresServer[],
    private readonly config: ServersConfig,
    private readonly metrics: PostgresMetrics,
  ) {
    this.polls = new PollLoop(all, () => this.evaluate());
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
      await this.polls.waitUntil(() => this.current !== null, primaryPollMs);
    }
  }

  /** Calls `listener` whenever a server has been asked. Returns what ends that. */
  onPoll(listener: () => void): () => void {
    return this.polls.onPoll(listener);
  }

  get primary(): PostgresServer | null {
    return this.current;
  }

  /**
   * The server that writes, at once where it is there, else waited for up to a second. With `needed`: on the timeline of that
   * position or a later one, where that is a position of this database.
   *
   * @throws DatabaseUnavailable where there is no such server
   * @throws DeadlineExceeded
   */
  getPrimary(needed: Position | null = null): PostgresServer | Promise<PostgresServer> {
    return this.primaryOn(needed) ?? this.awaitPrimary(needed);
  }

  private async awaitPrimary(needed: Position | null): Promise<PostgresServer> {
    const deadline = currentCall()?.deadline ?? Deadline.none;
    await deadline.limit(this.polls.waitUntil(() => this.primaryOn(needed) !== null, primaryWaitMs));
    const primary = this.primaryOn(needed);
    if (primary === null) throw new DatabaseUnavailable();
    return primary;
  }

  private primaryOn(needed: Position | null): PostgresServer | null {
    const state = this.primaryState;
    return state !== null && (needed === null || isOnTimeline(state.position, needed)) ? this.current : null;
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

  /**
   * Whether the primary is gone for every process, as far as can be told: it does not answer us, and every other server
   * answers, is a standby and receives no WAL. Then nobody can have written since.
   */
  isPrimaryGone(now: number): boolean {
    if (this.primaryState !== null) return false;
    const others = this.all.filter((server) => server.state !== null);
    return (
      others.length > 0 &&
      others.length >= this.all.length - 1 &&
      others.every(
        ({ state, cutOffAt }) =>
          state?.isStandby === true &&
          state.leases === 0 &&
          now - state.askedAt < freshMs &&
          now - cutOffAt < cutOffMs,
      )
    );
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
    this.lastPrimaryState = state;
    this.lag.sample(state.position, state.askedAt);
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
      await identify(primary);
      await primary.askOn(
        'INSERT INTO platform.timelines (timeline) VALUES ($1) ON CONFLICT ON CONSTRAINT pk_timelines DO NOTHING',
        [timeline],
      );
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

async function identify(primary: PostgresServer): Promise<void> {
  try {
    await primary.askOn(identifyDatabaseSql);
  } catch (error) {
    if (codeOf(error) !== insufficientPrivilege) throw error;
    await primary.askOn(identifyDatabaseByNameSql);
  }
}

const insufficientPrivilege = '42501';
