import type { Position } from '../positions/position.js';

interface Sample {
  readonly position: Position;
  readonly at: number;
}

/** Ten seconds at four samples a second. A standby that is further behind counts as ten seconds behind. */
const maxSamples = 40;

/**
 * Turns positions into time: the lag of a standby is the time since the primary was first seen beyond what the standby has
 * replayed. While the primary writes nothing, no lag grows.
 */
export class LagMeter {
  private samples: Sample[] = [];

  sample(position: Position, at: number): void {
    if (position === this.samples.at(-1)?.position) return;
    this.samples.push({ position, at });
    if (this.samples.length > maxSamples) this.samples.shift();
  }

  /** How many milliseconds a server that had replayed `position` at the time `at` was behind. */
  lagMs(position: Position, at: number): number {
    const missing = this.samples.find((sample) => sample.position > position);
    return missing === undefined ? 0 : Math.max(0, at - missing.at);
  }

  reset(): void {
    this.samples = [];
  }
}
