import type { CounterSeries, HistogramSeries } from '../metrics/series.js';
import { timed } from '../metrics/timed.js';
import { errorKind } from './postgres-errors.js';

/** What a server was when it last answered. */
export type DatabaseTarget = 'primary' | 'replica';

/** `read`: the statements of a read; `write`: a transaction up to the end of its COMMIT; `commit`: the COMMIT alone. */
export type OperationName = 'read' | 'write' | 'commit';

/** Measures one kind of operation. An error counts where the database is to blame. */
export class Operation {
  constructor(
    private readonly duration: HistogramSeries,
    private readonly wait: HistogramSeries,
    private readonly errors: Readonly<Record<'unavailable' | 'timeout' | 'conflict', CounterSeries>>,
  ) {}

  /** Begins to measure one that waits for its connection. */
  begin(): RunningOperation {
    return new RunningOperation(this.duration, this.wait, this.countError);
  }

  /** Measures one that has its connection. */
  measure<T>(run: () => Promise<T>): Promise<T> {
    return timed(this.duration, run, this.countError);
  }

  /** Counts one that was measured elsewhere. */
  measured(seconds: number): void {
    this.duration.observe(seconds);
  }

  private readonly countError = (error: unknown): void => {
    const kind = errorKind(error);
    if (kind !== null) this.errors[kind].inc();
  };
}

/** An operation from the wait for its connection to its end: both are measured. */
export class RunningOperation {
  private since = performance.now();
  private isWaiting = true;

  constructor(
    private readonly duration: HistogramSeries,
    private readonly wait: HistogramSeries,
    private readonly countError: (error: unknown) => void,
  ) {}

  /** It has its connection. */
  acquired(): void {
    const now = performance.now();
    this.wait.observe((now - this.since) / 1000);
    this.since = now;
    this.isWaiting = false;
  }

  failed(error: unknown): void {
    this.countError(error);
  }

  end(): void {
    const series = this.isWaiting ? this.wait : this.duration;
    series.observe((performance.now() - this.since) / 1000);
  }
}
