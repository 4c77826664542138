import { outsideOfCalls } from '../context/call-context.js';
import { logger } from '../logging/logger.js';
import { isDatabaseUnavailable } from '../postgres/postgres-errors.js';

export interface LoopOptions {
  /** What the log calls it. */
  readonly name: string;
  readonly work: () => Promise<void>;
  /** Between the end of one run and the next, if nothing wakes it. Default: it runs only when it is woken. */
  readonly pollMs?: number;
}

/** Runs work again and again, one run at a time: at intervals, and soon after it is woken. */
export class BackgroundLoop {
  private timer: NodeJS.Timeout | undefined;
  /** When the timer ends, by the monotonic clock. */
  private dueAt = Infinity;
  private running: Promise<void> | null = null;
  private wokenMs: number | null = null;
  private stopped = true;

  constructor(private readonly options: LoopOptions) {}

  get isStopped(): boolean {
    return this.stopped;
  }

  start(): void {
    this.stopped = false;
    this.schedule(0);
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Runs in `delayMs` at the latest; if it is running now, once more after that. */
  wake(delayMs = 0): void {
    if (this.running !== null) this.wokenMs = Math.min(this.wokenMs ?? Infinity, delayMs);
    // Later calls must not put it off: it would never run while they come all the time.
    else if (performance.now() + delayMs < this.dueAt) this.schedule(delayMs);
  }

  /** What a call asked for works for others too, so it is part of no call. */
  private schedule(delayMs: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.dueAt = performance.now() + delayMs;
    this.timer = outsideOfCalls(() => setTimeout(() => this.run(), delayMs));
  }

  private run(): void {
    const { name, work, pollMs } = this.options;
    this.dueAt = Infinity;
    this.running = work()
      .catch((error: unknown) => {
        // That the database is not available is logged by the calls that wait for it.
        if (!isDatabaseUnavailable(error)) logger.error({ err: error, loop: name }, 'background work failed');
      })
      .finally(() => {
        this.running = null;
        const nextMs = this.wokenMs ?? pollMs;
        this.wokenMs = null;
        if (nextMs !== undefined) this.schedule(nextMs);
      });
  }
}
