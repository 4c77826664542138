/** Runs few jobs at once and lets few wait: what comes beyond that is refused at once, not served too late. */
export class BoundedQueue {
  private running = 0;
  /** Places of jobs that are not known yet, see `holdingPlace`. */
  private held = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly limits: { readonly concurrency: number; readonly queue: number },
    private readonly refusal: () => Error,
  ) {}

  /** Nothing runs, waits or holds a place. */
  get isIdle(): boolean {
    return this.running + this.waiting.length + this.held === 0;
  }

  /** @throws the refusal where as many wait as may */
  requireRoom(): void {
    const { concurrency, queue } = this.limits;
    if (this.running + this.waiting.length + this.held >= concurrency + queue) throw this.refusal();
  }

  /**
   * Holds a place while `work` finds out what the job is, so that no more begin with that than have a place afterwards.
   *
   * @throws the refusal where as many wait as may
   */
  async holdingPlace<T>(work: () => Promise<T>): Promise<T> {
    this.requireRoom();
    this.held++;
    try {
      return await work();
    } finally {
      this.held--;
    }
  }

  /** @throws the refusal where as many wait as may */
  async run<T>(job: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await job();
    } finally {
      this.leave();
    }
  }

  /** Takes a place where one is free; `leave` frees it. */
  tryEnter(): boolean {
    if (this.running >= this.limits.concurrency) return false;
    this.running++;
    return true;
  }

  /** Waits for a place, which `leave` frees. @throws the refusal where as many wait as may */
  async enter(): Promise<void> {
    this.requireRoom();
    if (this.tryEnter()) return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** The place goes to the longest waiting one without becoming free in between. */
  leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.running--;
    else next();
  }
}
