/** How long a line may wait for others: what is lost if the process is killed in that time. */
const maxWaitMs = 100;
const maxWaiting = 16 * 1024;

/** Lines in the order that they were given, some of them a moment later: each write wakes whoever reads, too. */
export class LineOutput {
  private waiting = '';
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly stream: { write(text: string): unknown }) {}

  /** Now, with what waits before it. */
  write(line: string): void {
    this.waiting += line;
    this.flush();
  }

  /** Within 100 ms, or as soon as 16 KiB wait; at the latest by `flush`. */
  writeSoon(line: string): void {
    this.waiting += line;
    if (this.waiting.length >= maxWaiting) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), maxWaitMs).unref();
  }

  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { waiting } = this;
    this.waiting = '';
    if (waiting !== '') this.stream.write(waiting);
  }
}
