import { currentCall } from '../context/call-context.js';
import type { ConsistencyView } from '../context/consistency-view.js';
import { Deadline } from '../context/deadline.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { covers, databaseOf, timelineOf, type Position } from '../positions/position.js';
import { DatabaseUnavailable, NotUsable } from '../postgres/database-unavailable.js';
import {
  isDatabaseUnavailable,
  isRecoveryConflict,
  isStatementTimeout,
} from '../postgres/postgres-errors.js';
import type { IsGood, PostgresServer } from '../postgres/postgres-server.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import type { Session } from '../postgres/session.js';
import type { DatabaseMetrics, FallbackReason } from './database-metrics.js';

/** What nobody can answer within this time is refused. */
const readWaitMs = 1000;

/** How a read is run: on a connection of its own, or, where there is `together`, together with others, unless that gives null. */
export interface Read<T> {
  readonly run: (session: Session) => Promise<T>;
  readonly together?: (server: PostgresServer, isGood: IsGood, isAsked: boolean) => Promise<T | null>;
}

/** A read within the call of a user that no replica could serve by its position. */
export interface ReadElsewhere<T> extends Read<T> {
  readonly view: ConsistencyView;
  /** The primary must be on the timeline of this position or a later one; null: on any. */
  readonly needed: Position | null;
  /** All that is known of the last writes. */
  readonly known: () => readonly Position[];
}

interface Found<T> {
  readonly value: T;
}

/** Reads from the primary, or, without one, from the replicas that show everything that was acknowledged. */
export class PrimaryReads {
  constructor(
    private readonly servers: PostgresServers,
    private readonly metrics: DatabaseMetrics,
  ) {}

  /**
   * From the primary: what is read there decides something, and often writes then.
   *
   * @throws DatabaseUnavailable after a second without one
   */
  async fromPrimary<T>(read: Read<T>): Promise<T> {
    const end = performance.now() + readWaitMs;
    for (;;) {
      const found = await this.onPrimary(this.servers.readable(null), read);
      if (found !== null) return found.value;
      await this.untilRetry(end);
    }
  }

  /**
   * From the primary, or from the replicas where that does not answer.
   *
   * @throws DatabaseUnavailable after a second in which nobody could answer
   */
  async fromAny<T>(read: ReadElsewhere<T>): Promise<T> {
    const { servers } = this;
    const isAlone = servers.all.length === 1;
    const end = performance.now() + readWaitMs;
    for (let isFirst = true; ; isFirst = false) {
      const primary = servers.readable(read.needed);
      const found =
        isAlone || (primary !== null && servers.isPrimaryAnswering())
          ? await this.onPrimary(primary, read)
          : // A primary that is slow is asked where there is no other one to ask.
            ((await this.withoutPrimary(read, !isFirst)) ??
            (await this.onPrimary(servers.readable(read.needed), read)));
      if (found !== null) return found.value;
      if (performance.now() >= end) return await this.lastAttempt(read, isAlone);
      await this.untilRetry(end);
    }
  }

  /** The time went by with a primary that fell silent: the replicas are asked all the same. */
  private async lastAttempt<T>(read: ReadElsewhere<T>, isAlone: boolean): Promise<T> {
    const found = isAlone ? null : await this.withoutPrimary(read, true);
    if (found === null) throw new DatabaseUnavailable();
    return found.value;
  }

  /** Null where the primary was lost meanwhile, or is not sure to have been one until the end. */
  private async onPrimary<T>(primary: PostgresServer | null, read: Read<T>): Promise<Found<T> | null> {
    if (primary === null) return null;
    const isAlone = this.servers.all.length === 1;
    try {
      const asking = ask(primary, read);
      const value = await (isAlone ? asking : primary.untilSilent(asking));
      if (performance.now() >= this.servers.readableUntil) return null;
      this.metrics.reads.primary.inc();
      return { value };
    } catch (error) {
      if (isAlone || !isServerLost(error)) throw error;
      return null;
    }
  }

  /** Null where no replica can tell. Nothing of it may be cached: it is not known which writes are under way. */
  private async withoutPrimary<T>(read: ReadElsewhere<T>, isAnew: boolean): Promise<Found<T> | null> {
    const { servers, metrics } = this;
    read.view.forbidCaching();
    const point = await servers.withoutPrimary(read.view, isAnew);
    if (point !== null && !read.known().some((each) => isOfLaterTimeline(each, point.position))) {
      for (const server of leastBusyFirst(point.servers)) {
        const isRight: IsGood = (isStandby, reached) =>
          isStandby === (server !== point.promoted) &&
          timelineOf(reached) === timelineOf(point.position) &&
          covers(reached, point.position);
        const found = await askChecked(server, isRight, read);
        if (found === null) continue;
        metrics.withoutPrimary.strict.inc();
        return found;
      }
    }
    const best = servers.mostRecent();
    const found = best === null ? null : await askChecked(best, () => true, read);
    if (found === null) return null;
    metrics.withoutPrimary.available.inc();
    const call = currentCall();
    if (call !== undefined) call.isBestEffort = true;
    return found;
  }

  private async untilRetry(end: number): Promise<void> {
    const leftMs = end - performance.now();
    if (leftMs <= 0) throw new DatabaseUnavailable();
    const deadline = currentCall()?.deadline ?? Deadline.none;
    await deadline.limit(this.servers.nextPoll(leftMs));
  }
}

const isPrimary: IsGood = (isStandby) => !isStandby;

async function ask<T>(primary: PostgresServer, { run, together }: Read<T>): Promise<T> {
  const value = together === undefined ? null : await together(primary, isPrimary, false);
  if (value !== null) return value;
  return primary.isShared
    ? primary.read(isPrimary, (session) => run(session))
    : primary.borrow(({ session }) => run(session));
}

/** The server is asked in the transaction of the read, and nothing is taken from one that is not good. Null: not, or it was lost. */
async function askChecked<T>(
  server: PostgresServer,
  isGood: IsGood,
  { run, together }: Read<T>,
): Promise<Found<T> | null> {
  try {
    const asking = async (): Promise<T> => {
      const value = together === undefined ? null : await together(server, isGood, true);
      return value ?? server.readChecked(isGood, run);
    };
    return { value: await server.untilSilent(asking()) };
  } catch (error) {
    if (fallbackReason(error) === null) throw error;
    return null;
  }
}

const leastBusyFirst = (servers: readonly PostgresServer[]): readonly PostgresServer[] =>
  [...servers].sort((a, b) => a.outstanding - b.outstanding);

const isServerLost = (error: unknown): boolean =>
  !isStatementTimeout(error) && !(error instanceof DeadlineExceeded) && isDatabaseUnavailable(error);

const isOfLaterTimeline = (known: Position, reached: Position): boolean =>
  databaseOf(known) === databaseOf(reached) && timelineOf(known) > timelineOf(reached);

/** Why a read may be retried on another server; null if the read itself is at fault. */
export function fallbackReason(error: unknown): FallbackReason | null {
  if (error instanceof NotUsable) return 'lag';
  if (isRecoveryConflict(error)) return 'conflict';
  // A statement that takes too long on one server takes too long on another, too.
  if (isStatementTimeout(error)) return null;
  return isDatabaseUnavailable(error) ? 'error' : null;
}
