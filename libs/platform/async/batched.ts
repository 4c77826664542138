/**
 * Shares calls between many callers, one call at a time. Each caller gets the result of a call that began after its own:
 * callers that come while a call is under way share the next one.
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
