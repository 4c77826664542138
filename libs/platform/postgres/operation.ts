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

  /** Measures an operation that has its connection. */
  measure<T>(run: () => Promise<T>): Promise<T> {
    return timed(this.duration, run, this.countError);
  }

  /** Counts one that was measured elsewhere. */
  measured(seconds: number): void {
    this.duration.observe(seconds);
  }

  /** Measures the wait for its connection. */
  measureWait<T>(acquire: () => Promise<T>): Promise<T> {
    return timed(this.wait, acquire, this.countError);
  }

  private readonly countError = (error: unknown): void => {
    const kind = errorKind(error);
    if (kind !== null) this.errors[kind].inc();
  };
}
