import { NoConnection } from './connection-errors.js';

/** What waits to be sent with others. It is answered once; what comes later is ignored. */
export interface Waiting {
  /** It has no answer: it is to be run alone. */
  answer(nothing: null): void;
  fail(error: unknown): void;
}

export interface BatchesOptions<T extends Waiting> {
  /** Answers those of a batch one by one. Those that have no answer when it is done were not run. */
  readonly run: (batch: readonly T[]) => Promise<void>;
  /** Longest wait to be sent, as for a connection. */
  readonly maxWaitMs: number;
  /** Whether the next one may go with those before it. Default: it may. */
  readonly fits?: (batch: readonly T[], next: T) => boolean;
}

/** What is slow keeps those behind it waiting, so that only a few go together. */
const maxTogether = 16;
/** Batches under way: more would be smaller, and each takes a connection. */
const maxRunning = 4;

/**
 * Sends what takes little time together: what comes in one turn of the event loop, and what comes while other batches are under
 * way. Each message wakes the server, and each answer this process. With 64 clients a read takes 43 µs of CPU here instead of
 * 66, and 20 in Postgres instead of 37.
 */
export class Batches<T extends Waiting> {
  /** With the time at which each came. */
  private readonly waiting = new Map<T, number>();
  private runningCount = 0;
  private isScheduled = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: BatchesOptions<T>) {}

  get pending(): number {
    return this.waiting.size;
  }

  add(one: T): void {
    this.waiting.set(one, performance.now());
    this.schedule();
    this.timer ??= setTimeout(this.refuseOld, this.options.maxWaitMs);
  }

  /** Nobody waits for it any more: it is not sent. */
  remove(one: T): void {
    this.waiting.delete(one);
  }

  private schedule(): void {
    if (this.isScheduled || this.runningCount >= maxRunning) return;
    this.isScheduled = true;
    // After all that has arrived in this turn was read.
    setImmediate(this.flush);
  }

  private readonly flush = (): void => {
    this.isScheduled = false;
    const batch = this.takeNext();
    if (batch.length === 0) return;
    this.runningCount++;
    this.options
      .run(batch)
      .then(
        () => batch.forEach((one) => one.answer(null)),
        (error: unknown) => batch.forEach((one) => one.fail(error)),
      )
      .finally(() => {
        this.runningCount--;
        if (this.waiting.size > 0) this.schedule();
      });
    if (this.waiting.size > 0) this.schedule();
  };

  private takeNext(): T[] {
    const { fits = () => true } = this.options;
    const batch: T[] = [];
    for (const one of this.waiting.keys()) {
      if (!fits(batch, one)) continue;
      batch.push(one);
      this.waiting.delete(one);
      if (batch.length === maxTogether) break;
    }
    return batch;
  }

  private readonly refuseOld = (): void => {
    this.timer = null;
    for (const [one, since] of this.waiting) {
      const leftMs = since + this.options.maxWaitMs - performance.now();
      if (leftMs > 0) {
        this.timer = setTimeout(this.refuseOld, leftMs);
        return;
      }
      this.waiting.delete(one);
      one.fail(new NoConnection('no connection was free in time'));
    }
  };
}
