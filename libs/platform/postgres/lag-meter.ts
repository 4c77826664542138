import type { Position } from '../positions/position.js';

interface Sample {
  readonly position: Position;
  readonly at: number;
}

/** Four a second: ten seconds. What is further behind is at least that far. */
const maxSamples = 40;

/**
 * Turns positions into time: a standby is as far behind as it is since the primary was first seen beyond what the
 * standby has replayed. A primary that writes nothing makes nobody late.
 */
export class LagMeter {
  private samples: Sample[] = [];

  sample(position: Position, at: number): void {
    if (position === this.samples.at(-1)?.position) return;
    this.samples.push({ position, at });
    if (this.samples.length > maxSamples) this.samples.shift();
  }

  /** Milliseconds that a server which had come to `position` at `at` was behind. */
  lagMs(position: Position, at: number): number {
    const missing = this.samples.find((sample) => sample.position > position);
    return missing === undefined ? 0 : Math.max(0, at - missing.at);
  }

  reset(): void {
    this.samples = [];
  }
}
