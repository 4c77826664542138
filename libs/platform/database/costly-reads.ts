import { BoundedQueue } from '../async/bounded-queue.js';
import { currentCall } from '../context/call-context.js';
import { ServiceUnavailable } from '../errors/common-errors.js';
import type { ConnectionConfig } from '../postgres/data-source.js';
import { isStatementTimeout } from '../postgres/postgres-errors.js';
import type { Session } from '../postgres/session.js';
import type { Statement, TextRow } from '../postgres/statement.js';

/** Longest time of a costly read in Postgres: whoever asks for more keeps a core of it from all others. */
const maxMs = 1000;
/** Part of the connections to a server that costly reads of all users together may use. */
const share = 0.4;
/** Of one user in this process. */
const ofUser = { concurrency: 1, queue: 8 };
/** One of each user waits here, so that this is also how many users wait. 1,000 who ask at once are not refused. */
const maxWaitingUsers = 2000;

/** A search, a filter or a count takes too much work. */
export class QueryTooExpensive extends ServiceUnavailable {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'query_too_expensive', cause });
  }
}

const tooLong = (cause: unknown): QueryTooExpensive =>
  new QueryTooExpensive(
    'This takes too long with so many tasks. Use fewer words, no phrase, more filters, or another sort than relevance.',
    cause,
  );
const tooMany = (): QueryTooExpensive =>
  new QueryTooExpensive('Too many of your searches and counts are under way. Send one after the other.');
const busy = (): QueryTooExpensive =>
  new QueryTooExpensive('Too many searches and counts are under way. Try again.');

/**
 * Keeps reads whose work depends on what a user stored and asks for, from those of other users: one of each user runs at a
 * time, all of them together use a part of the connections, and each ends after a second.
 */
export class CostlyReads {
  private readonly byUser = new Map<string, BoundedQueue>();
  private readonly all: BoundedQueue;
  /** Never more than any other statement may take. */
  private readonly limitMs: number;

  constructor(config: Pick<ConnectionConfig, 'DATABASE_POOL_SIZE' | 'DATABASE_STATEMENT_TIMEOUT_MS'>) {
    this.limitMs = Math.min(maxMs, config.DATABASE_STATEMENT_TIMEOUT_MS);
    this.all = new BoundedQueue(
      { concurrency: Math.max(1, Math.floor(config.DATABASE_POOL_SIZE * share)), queue: maxWaitingUsers },
      busy,
    );
  }

  /** Runs the statement of such a read on the connection that it got; the wait for that is not the user's doing. */
  async rows(
    session: Session,
    statement: Statement,
    values: readonly unknown[],
  ): Promise<readonly TextRow[]> {
    const call = currentCall();
    const startedAt = performance.now();
    try {
      return await session.rowsWithin(this.limitMs, statement, values);
    } finally {
      if (call !== undefined) call.costlyMs += performance.now() - startedAt;
    }
  }

  /** @throws QueryTooExpensive where it takes too long, or where too many wait */
  async run<T>(read: () => Promise<T>): Promise<T> {
    const userId = currentCall()?.caller?.userId;
    const limited = () =>
      this.all.run(() =>
        read().catch((error: unknown) => {
          throw isStatementTimeout(error) ? tooLong(error) : error;
        }),
      );
    if (userId === undefined) return limited();
    const queue = this.byUser.get(userId) ?? new BoundedQueue(ofUser, tooMany);
    this.byUser.set(userId, queue);
    try {
      return await queue.run(limited);
    } finally {
      if (queue.isIdle) this.byUser.delete(userId);
    }
  }
}
