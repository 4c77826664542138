import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.js';

export interface Fault {
  readonly name: string;
  /** Its relative probability. */
  readonly weight: number;
  /** How long it lasts: minimum and maximum. */
  readonly holdMs: readonly [number, number];
  /** Resources that it uses exclusively: two faults of the same resource never overlap. */
  readonly touches: readonly string[];
  /** Whether it can happen now; default: always. */
  isPossible?(): boolean;
  apply(): Promise<void>;
  /** Ends the fault and waits until everything works again. */
  heal(): Promise<void>;
}

/** For faults that end at once. */
export const instantly = (act: () => void) => (): Promise<void> => Promise.resolve().then(act);

export interface Pace {
  /** Between the end of one fault and the next. */
  readonly gapMs: readonly [number, number];
  /** The probability that another fault begins while one lasts. */
  readonly overlap: number;
}

export const usualPace: Pace = { gapMs: [500, 3000], overlap: 0.25 };

/** Applies faults in an order that the seed determines, and ends each of them. */
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

  /** Names of the faults in progress. */
  readonly underWay = (): readonly string[] => [...this.active].map(({ name }) => name);

  /** Runs until the signal; on return all faults have ended. */
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
    const possible = this.faults.filter(
      (fault) => !fault.touches.some((each) => taken.has(each)) && fault.isPossible?.() !== false,
    );
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
