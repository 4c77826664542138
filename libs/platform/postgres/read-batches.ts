import type { RunningOperation } from './operation.js';
import type { Statement, TextRow } from './statement.js';

/** A statement that waits for a connection which it shares with others. */
export interface BatchedRead {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  readonly running: RunningOperation;
}
/** Null: it was not run. */
export type ReadAnswer = readonly TextRow[] | Error | null;

interface Waiting {
  readonly read: BatchedRead;
  readonly resolve: (answer: ReadAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** What is slow keeps those behind it waiting, so that only a few go together. */
const maxReads = 16;
/** Batches under way: more would be smaller, and each takes a connection. */
const maxRunning = 4;

/**
 * Sends statements that take little time together, those of one turn of the event loop, and those that come while other batches
 * are under way. With 64 clients a read takes half of the socket writes and wakes Postgres half as often.
 */
export class ReadBatches {
  private waiting: Waiting[] = [];
  private runningCount = 0;
  private isScheduled = false;

  /** `run` gets the reads of a batch and returns their answers in the same order. */
  constructor(private readonly run: (reads: readonly BatchedRead[]) => Promise<readonly ReadAnswer[]>) {}

  add(read: BatchedRead): Promise<ReadAnswer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ read, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.isScheduled || this.runningCount >= maxRunning) return;
    this.isScheduled = true;
    // After all that has arrived in this turn was read.
    setImmediate(this.flush);
  }

  private readonly flush = (): void => {
    this.isScheduled = false;
    const batch = this.waiting.splice(0, maxReads);
    if (batch.length === 0) return;
    this.runningCount++;
    this.run(batch.map(({ read }) => read))
      .then(
        (answers) => batch.forEach(({ resolve }, n) => resolve(answers[n] ?? null)),
        (error: unknown) => batch.forEach(({ reject }) => reject(error)),
      )
      .finally(() => {
        this.runningCount--;
        if (this.waiting.length > 0) this.schedule();
      });
    if (this.waiting.length > 0) this.schedule();
  };
}
