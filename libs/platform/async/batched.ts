/**
 * One call at a time for many who ask: each gets an answer that was begun after it had asked, so those who come while
 * one is under way share the next.
 */
export class Batched<T> {
  private running: Promise<unknown> | null = null;
  private next: Promise<T> | null = null;

  constructor(private readonly call: () => Promise<T>) {}

  get(): Promise<T> {
    this.next ??= (this.running ?? Promise.resolve()).then(() => this.begin());
    return this.next;
  }

  private begin(): Promise<T> {
    this.next = null;
    const answer = this.call();
    this.running = answer.then(
      () => undefined,
      () => undefined,
    );
    return answer;
  }
}
