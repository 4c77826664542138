import type { SentRead } from './batch-query.js';
import { NoConnection } from './connection-errors.js';
import type { PostgresClient } from './postgres-client.js';
import type { TextRow } from './statement.js';

/** The rows of a read. Null: it was not run. */
export type ReadAnswer = readonly TextRow[] | null;

export interface WantedRead extends Pick<SentRead, 'statement' | 'values'> {
  /** Whether it may be run on this connection, asked just before. */
  readonly isGood: (client: PostgresClient) => boolean;
}

/** A statement that waits for a connection which it shares with others. It is answered once; what comes later is ignored. */
export interface BatchedRead extends WantedRead, SentRead {
  /** It has its connection. */
  begin(): void;
  answer(rows: ReadAnswer): void;
}

/** What is slow keeps those behind it waiting, so that only a few go together. */
const maxReads = 16;
/** Batches under way: more would be smaller, and each takes a connection. */
const maxRunning = 4;

/**
 * Sends statements that take little time together, those of one turn of the event loop, and those that come while other batches
 * are under way: each message wakes the server, and each answer this process. With 64 clients a read takes 43 µs of CPU here
 * instead of 66, and 20 in Postgres instead of 37.
 */
export class ReadBatches {
  /** With the time at which each came. */
  private readonly waiting = new Map<BatchedRead, number>();
  private runningCount = 0;
  private isScheduled = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    /** Answers the reads of a batch one by one; those that have no answer when it is done were not run. */
    private readonly run: (reads: readonly BatchedRead[]) => Promise<void>,
    /** Longest wait to be sent, as for a connection. */
    private readonly maxWaitMs: number,
  ) {}

  get pending(): number {
    return this.waiting.size;
  }

  add(read: BatchedRead): void {
    this.waiting.set(read, performance.now());
    this.schedule();
    this.timer ??= setTimeout(this.refuseOld, this.maxWaitMs);
  }

  /** Nobody waits for it any more: it is not sent. */
  remove(read: BatchedRead): void {
    this.waiting.delete(read);
  }

  private schedule(): void {
    if (this.isScheduled || this.runningCount >= maxRunning) return;
    this.isScheduled = true;
    // After all that has arrived in this turn was read.
    setImmediate(this.flush);
  }

  private readonly flush = (): void => {
    this.isScheduled = false;
    const batch: BatchedRead[] = [];
    for (const read of this.waiting.keys()) {
      batch.push(read);
      this.waiting.delete(read);
      if (batch.length === maxReads) break;
    }
    if (batch.length === 0) return;
    this.runningCount++;
    this.run(batch)
      .then(
        () => batch.forEach((read) => read.answer(null)),
        (error: unknown) => batch.forEach((read) => read.fail(error)),
      )
      .finally(() => {
        this.runningCount--;
        if (this.waiting.size > 0) this.schedule();
      });
    if (this.waiting.size > 0) this.schedule();
  };

  private readonly refuseOld = (): void => {
    this.timer = null;
    for (const [read, since] of this.waiting) {
      const leftMs = since + this.maxWaitMs - performance.now();
      if (leftMs > 0) {
        this.timer = setTimeout(this.refuseOld, leftMs);
        return;
      }
      this.waiting.delete(read);
      read.fail(new NoConnection('no connection was free in time'));
    }
  };
}
