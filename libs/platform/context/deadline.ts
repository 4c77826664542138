import { DeadlineExceeded } from '../errors/common-errors.js';

/**
 * Until when a call may work. One timer serves all waits of the call: they end at the same moment.
 */
export class Deadline {
  /** Of calls without a deadline, such as commands. */
  static readonly none = new Deadline(Infinity);

  private readonly listeners = new Set<() => void>();
  private readonly timer: NodeJS.Timeout | undefined;
  private expired = false;
  /** Something was sent to be committed: at the deadline nobody can say that nothing was written. */
  isCommitSent = false;

  constructor(timeoutMs: number) {
    if (timeoutMs === Infinity) return;
    this.timer = setTimeout(() => this.expire(), timeoutMs);
    this.timer.unref();
  }

  get isExpired(): boolean {
    return this.expired;
  }

  /** @throws DeadlineExceeded */
  throwIfExpired(): void {
    if (this.expired) throw new DeadlineExceeded();
  }

  /** Calls `listener` once at the deadline, or at once if it has passed. Returns a function that cancels this. */
  onExpired(listener: () => void): () => void {
    if (this.expired) listener();
    else if (this.timer !== undefined) this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The value of `work`. If the deadline comes first, `work` continues and its result is ignored. @throws DeadlineExceeded */
  limit<T>(work: Promise<T>): Promise<T> {
    if (this.timer === undefined) return work;
    return new Promise<T>((resolve, reject) => {
      const cancel = this.onExpired(() => reject(new DeadlineExceeded()));
      // After a rejection the listener has no effect any more, and goes with the deadline.
      work.then((value) => {
        cancel();
        resolve(value);
      }, reject);
    });
  }

  /** Runs `work` with a signal that is aborted at the deadline. */
  async withSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const cancel = this.onExpired(() => controller.abort(new DeadlineExceeded()));
    return work(controller.signal).finally(cancel);
  }

  /** The call has its answer: from now on it never expires. */
  end(): void {
    clearTimeout(this.timer);
    this.listeners.clear();
  }

  private expire(): void {
    this.expired = true;
    for (const listener of [...this.listeners]) listener();
    this.listeners.clear();
  }
}
