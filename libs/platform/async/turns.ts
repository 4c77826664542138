import { setImmediate } from 'node:timers/promises';

const turnMs = 5;

/** For work in a loop that may take long: gives other calls their turn where this one has had the process for 5 ms. */
export class Turns {
  private endsAt = performance.now() + turnMs;

  async next(): Promise<void> {
    if (performance.now() < this.endsAt) return;
    await setImmediate();
    this.endsAt = performance.now() + turnMs;
  }
}
