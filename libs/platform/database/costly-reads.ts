import { BoundedQueue } from '../async/bounded-queue.js';
import { currentCall } from '../context/call-context.js';
import { ServiceUnavailable } from '../errors/common-errors.js';
import { isStatementTimeout } from '../postgres/postgres-errors.js';

/** Longest time of a costly read in Postgres: whoever asks for more keeps a core of it from all others. */
export const maxCostlyMs = 1000;
/** Part of the connections to a server that costly reads of all users together may use. */
const share = 0.4;
/** Of one user in this process. */
const ofUser = { concurrency: 1, queue: 8 };
/** One of each user waits here, so that this is also how many users wait. */
const maxWaitingUsers = 500;

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

  constructor(poolSize: number) {
    this.all = new BoundedQueue(
      { concurrency: Math.max(1, Math.floor(poolSize * share)), queue: maxWaitingUsers },
      busy,
    );
  }

  /** @throws QueryTooExpensive where it takes too long, or where too many wait */
  async run<T>(read: () => Promise<T>): Promise<T> {
    const call = currentCall();
    const userId = call?.caller?.userId;
    const limited = () =>
      this.all.run(async () => {
        const startedAt = performance.now();
        try {
          return await read();
        } catch (error) {
          throw isStatementTimeout(error) ? tooLong(error) : error;
        } finally {
          if (call !== undefined) call.costlyMs += performance.now() - startedAt;
        }
      });
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
