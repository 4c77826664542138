import { say } from './figures.js';
import { medianOf } from './median.js';
import type { Side } from './side.js';

/** Two processes that are compared: a subject and a baseline. */
export interface Sides {
  readonly subject: Side;
  readonly baseline: Side;
}

export interface CpuPairsOptions {
  readonly sides: Sides;
  readonly pairs: number;
  /** Requests before the measurement, until V8 has optimised both processes. */
  readonly warmUpPairs: number;
  /** After each pair: additional CPU time of the subject, in seconds, for this many seconds under load. */
  readonly additionalCpu?: (loadSeconds: number) => Promise<number> | number;
}

const runsOfAPair = 40;
const stepsOfARun = 100;

/** CPU time of each, in seconds, for the same number of requests. */
export interface CpuPair {
  readonly subject: number;
  readonly baseline: number;
}

export const ratioOf = ({ subject, baseline }: CpuPair): number => subject / baseline;

/** Requests that each side gets, including the warm-up. */
export const requestsOf = ({ pairs, warmUpPairs }: Pick<CpuPairsOptions, 'pairs' | 'warmUpPairs'>): number =>
  (pairs + warmUpPairs) * runsOfAPair * stepsOfARun;

/**
 * Both sides alternate and get the same steps of the mix of 90 reads and 10 writes. A pair consists of many short runs
 * of each: AB, BA, AB and so on; the next pair is BA, AB, BA. So other work of the machine affects both alike.
 */
export async function cpuPairs({
  sides,
  pairs,
  warmUpPairs,
  additionalCpu,
}: CpuPairsOptions): Promise<readonly CpuPair[]> {
  const found: CpuPair[] = [];
  for (let n = -warmUpPairs; n < pairs; n++) {
    const { seconds, loadSeconds } = await runPair(sides, n);
    seconds.subject += (await additionalCpu?.(loadSeconds)) ?? 0;
    if (n >= 0) found.push(seconds);
    say(
      `  ${n < 0 ? 'warm-up' : n + 1}: ${perThousand(seconds.subject)} and ${perThousand(seconds.baseline)} s of CPU for 1,000 requests, ${ratioOf(seconds).toFixed(3)}`,
    );
  }
  return found;
}

/** Prints and returns the median of the ratios, with its confidence interval. */
export function reportMedian(what: string, ratios: readonly number[]): number {
  const { value, from, to } = medianOf(ratios);
  say(
    `${what}: median of ${ratios.length} pairs ${value.toFixed(3)}, 95 %: ${from.toFixed(3)} to ${to.toFixed(3)}`,
  );
  return value;
}

/** @returns CPU time of each, and how long the subject had load, in seconds */
async function runPair(sides: Sides, n: number) {
  const seconds = { subject: 0, baseline: 0 };
  let loadSeconds = 0;
  for (let run = 0; run < runsOfAPair; run++) {
    const names = ['subject', 'baseline'] as const;
    for (const name of (run + n) % 2 === 0 ? names : names.toReversed()) {
      const startedAt = performance.now();
      seconds[name] += await sides[name].run(stepsOfARun);
      if (name === 'subject') loadSeconds += (performance.now() - startedAt) / 1000;
    }
  }
  return { seconds, loadSeconds };
}

function perThousand(seconds: number): string {
  return ((seconds / (runsOfAPair * stepsOfARun)) * 1000).toFixed(3);
}
