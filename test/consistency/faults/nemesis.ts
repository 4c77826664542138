import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.js';

export interface Fault {
  readonly name: string;
  /** How likely it is, in comparison with the others. */
  readonly weight: number;
  /** How long it lasts, from least to most. */
  readonly holdMs: readonly [number, number];
  /** What it needs for itself: of two faults that touch the same, one waits. */
  readonly touches: readonly string[];
  apply(): Promise<void>;
  /** Brings back what was taken, and waits until it is back. */
  heal(): Promise<void>;
}

/** For what needs no waiting. */
export const instantly = (act: () => void) => (): Promise<void> => Promise.resolve().then(act);

export interface Pace {
  /** Between the end of one fault and the next. */
  readonly gapMs: readonly [number, number];
  /** How likely it is that another one begins while one lasts. */
  readonly overlap: number;
}

export const usualPace: Pace = { gapMs: [500, 3000], overlap: 0.25 };

/** Applies faults in an order that the seed determines, and heals each of them. */
export class Nemesis {
  /** How often each fault was applied. */
  readonly counts = new Map<string, number>();
  private readonly active = new Set<Fault>();
  private readonly faults: readonly Fault[];
  private readonly random: Random;
  private readonly pace: Pace;
  private readonly log: (line: string) => void;

  constructor(faults: readonly Fault[], random: Random, pace: Pace, log: (line: string) => void) {
    this.faults = faults;
    this.random = random;
    this.pace = pace;
    this.log = log;
  }

  /** Names of the faults that are under way. */
  readonly underWay = (): readonly string[] => [...this.active].map(({ name }) => name);

  /** Until the signal; on return all is healed. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.faults.length > 0) {
      await this.pause(this.random.between(...this.pace.gapMs), signal);
      const both = [this.strike(signal)];
      if (this.random.chance(this.pace.overlap)) {
        await this.pause(this.random.between(0, 1000), signal);
        both.push(this.strike(signal));
      }
      await Promise.all(both);
    }
  }

  private async strike(signal: AbortSignal): Promise<void> {
    const taken = new Set([...this.active].flatMap(({ touches }) => touches));
    const possible = this.faults.filter(({ touches }) => !touches.some((each) => taken.has(each)));
    const fault = this.random.weighted(possible);
    if (fault === undefined || signal.aborted) return;
    const holdMs = this.random.between(...fault.holdMs);
    this.log(`${fault.name} for ${(holdMs / 1000).toFixed(1)} s`);
    this.counts.set(fault.name, (this.counts.get(fault.name) ?? 0) + 1);
    this.active.add(fault);
    try {
      await fault.apply();
      await this.pause(holdMs, signal);
    } finally {
      await fault.heal();
      this.active.delete(fault);
      this.log(`${fault.name} is over`);
    }
  }

  /** Ends early at the signal. */
  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
