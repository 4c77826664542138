import { logger } from '../logging/logger.js';
import { watchServers, type MeasuredServers } from './postgres-metrics.js';
import { DatabaseUnavailable } from './database-unavailable.js';
import { LagMeter } from './lag-meter.js';
import { covers, timelineOf, type Position } from '../positions/position.js';
import type { PostgresServer, ServerState } from './postgres-server.js';

const pollMs = 250;
/** What is older says nothing of now: a process may have slept. */
const freshMs = 1000;
/** A standby without a primary looks for one every five seconds, for a moment. */
const cutOffMs = 1500;
/** How long a call waits for a primary to appear before it is a 503. */
const primaryWaitMs = 1000;

export interface ServersConfig {
  readonly DATABASE_MAX_REPLICA_LAG_MS: number;
}

/** The servers of one database. Which one is the primary is found out by asking them, again and again. */
export class PostgresServers implements MeasuredServers {
  /** The newest timeline that any of them was seen to write on: a primary on an older one has been replaced. */
  private newestTimeline = 0;
  private current: PostgresServer | null = null;
  private readonly lag = new LagMeter();
  private readonly timers = new Map<PostgresServer, NodeJS.Timeout>();
  private readonly listeners = new Set<() => void>();
  private isStopped = true;
  private turn = 0;

  constructor(
    readonly all: readonly PostgresServer[],
    private readonly config: ServersConfig,
  ) {}

  /** Asks every server four times a second until `stop`. Resolves when each has been asked once. */
  async start(): Promise<void> {
    this.isStopped = false;
    watchServers(this);
    await Promise.all(this.all.map((server) => this.poll(server)));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    watchServers(null);
    for (const timer of this.timers.values()) clearTimeout(timer);
    await Promise.all(this.all.map((server) => server.close()));
  }

  /** Resolves when there is a primary, however long that takes. */
  async untilPrimary(stop: AbortSignal): Promise<void> {
    while (this.current === null) {
      stop.throwIfAborted();
      await this.waitUntil(() => this.current !== null, pollMs);
    }
  }

  /** Calls `listener` whenever a server has been asked. Returns what ends that. */
  onPoll(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private get primaryState(): ServerState | null {
    return this.current?.state ?? null;
  }

  get primary(): PostgresServer | null {
    return this.current;
  }

  /**
   * The server that writes, waited for up to a second.
   *
   * @throws DatabaseUnavailable where there is none, or only one that has been replaced
   */
  async getPrimary(needed?: Position): Promise<PostgresServer> {
    const isRight = () =>
      this.primaryState !== null &&
      (needed === undefined || timelineOf(this.primaryState.position) >= timelineOf(needed));
    if (!isRight()) await this.waitUntil(isRight, primaryWaitMs);
    if (this.current === null || !isRight()) {
      throw new DatabaseUnavailable();
    }
    return this.current;
  }

  /** The least busy standby that shows what was written up to `needed` and is not far behind; null where none does. */
  replicaFor(needed: Position, besides: PostgresServer | null): PostgresServer | null {
    return this.leastBusy(besides, (server) => server.isShared || this.isGood(server, needed));
  }

  /** The least busy standby whatever it shows: only for tests of the checker. */
  anyReplica(besides: PostgresServer | null): PostgresServer | null {
    return this.leastBusy(besides, () => true);
  }

  /** Whether a server that answered like this may serve a read that needs what was written up to `needed`. */
  isRight(isStandby: boolean, position: Position, needed: Position): boolean {
    return (
      (isStandby
        ? timelineOf(position) === this.newestTimeline
        : timelineOf(position) >= this.newestTimeline) && covers(position, needed)
    );
  }

  /** How far a standby is behind in time; null where that is not known, as with the primary away. */
  lagMsOf(server: PostgresServer): number | null {
    const { state } = server;
    if (state === null || this.primaryState === null) return null;
    return this.lag.lagMs(state.position, state.askedAt);
  }

  lagMsByName(): ReadonlyMap<string, number | null> {
    const standbys = this.all.filter(({ state }) => state?.isStandby === true);
    return new Map(standbys.map((server) => [server.name, this.lagMsOf(server)]));
  }

  /**
   * Whether the primary is gone for everybody, as far as can be told: it refuses us, and every other server answers, is
   * a standby and gets no WAL from anywhere. Nobody can have written since.
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

  private leastBusy(
    besides: PostgresServer | null,
    isGood: (server: PostgresServer) => boolean,
  ): PostgresServer | null {
    let best: PostgresServer | null = null;
    // Of those that are equally busy, as on a quiet day all are, each takes its turn.
    this.turn = (this.turn + 1) % this.all.length;
    for (const server of [...this.all.slice(this.turn), ...this.all.slice(0, this.turn)]) {
      if (server === this.current || server === besides || server.state?.isStandby !== true) continue;
      if (isGood(server) && (best === null || server.outstanding < best.outstanding)) best = server;
    }
    return best;
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

  private async poll(server: PostgresServer): Promise<void> {
    await server.ask();
    if (this.isStopped) return;
    await this.evaluate();
    for (const listener of this.listeners) listener();
    this.timers.set(
      server,
      setTimeout(() => void this.poll(server), pollMs),
    );
  }

  /** Whoever is in no recovery, on the newest timeline, is the primary. */
  private async evaluate(): Promise<void> {
    const before = this.current;
    let best: PostgresServer | null = null;
    let timeline = 0;
    for (const server of this.all) {
      if (server.state === null || server.state.isStandby) continue;
      if (timelineOf(server.state.position) <= timeline) continue;
      best = server;
      timeline = timelineOf(server.state.position);
    }
    const isNew = best !== null && timeline > this.newestTimeline;
    if (isNew && best !== null && !(await this.adopt(best, timeline))) best = null;
    this.current = timeline >= this.newestTimeline ? best : null;
    const state = this.primaryState;
    if (this.current === null || state === null) return;
    this.lag.sample(state.position, state.askedAt);
    if (this.current === before) return;
    logger.info({ server: this.current.name, timeline }, 'this server is the primary');
    // Its connections are those of a server that has another role now.
    before?.reset();
  }

  /**
   * Leaves a row that tells each standby which has replayed it, and so us, that it is on this timeline. Until that is
   * done the server is not taken for the primary; it is tried again with the next poll.
   */
  private async adopt(primary: PostgresServer, timeline: number): Promise<boolean> {
    try {
      await primary.askOn(
        'INSERT INTO platform.timelines (timeline) VALUES ($1) ON CONFLICT ON CONSTRAINT pk_timelines DO NOTHING',
        [timeline],
      );
    } catch (error) {
      logger.warn({ err: error, server: primary.name }, 'a new primary could not be marked');
      return false;
    }
    this.newestTimeline = Math.max(this.newestTimeline, timeline);
    this.lag.reset();
    return true;
  }

  private async waitUntil(condition: () => boolean, timeoutMs: number): Promise<void> {
    if (this.isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, timeoutMs);
      const end = this.onPoll(() => {
        if (condition()) done();
      });
      function done() {
        clearTimeout(timer);
        end();
        resolve();
      }
    });
  }
}
