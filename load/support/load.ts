import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from './percentile.js';

export interface Sample {
  /** Number of the call. */
  readonly n: number;
  /** When the call was due, in milliseconds from the start. */
  readonly at: number;
  /** From then to the end of the response, so that waiting for a busy service or a busy client counts. */
  readonly latencyMs: number;
  readonly status: number;
}

export type Send = (n: number) => Promise<number>;

/** Open loop: sends call n at `times[n]`, in milliseconds from now, without waiting for earlier calls. */
export async function onSchedule(times: readonly number[], send: Send): Promise<Sample[]> {
  const start = performance.now();
  const pending: Promise<Sample>[] = [];
  const fire = async (n: number, at: number): Promise<Sample> => {
    const status = await send(n);
    return { n, at, status, latencyMs: performance.now() - start - at };
  };
  for (const [n, at] of times.entries()) {
    const leftMs = start + at - performance.now();
    // Calls that are due in the same millisecond are sent together.
    if (leftMs > 0) await sleep(leftMs);
    pending.push(fire(n, at));
  }
  return Promise.all(pending);
}

/** Send times of a steady rate. */
export const steadily = (perSecond: number, seconds: number): number[] =>
  Array.from({ length: Math.round(perSecond * seconds) }, (_, n) => (n * 1000) / perSecond);

/** Closed loop: each of the `clients` sends one call after the other while the condition holds. */
export async function inTurns(
  clients: number,
  send: Send,
  goesOn: (n: number) => boolean,
): Promise<Sample[]> {
  const start = performance.now();
  const samples: Sample[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (goesOn(next)) {
      const n = next++;
      const at = performance.now() - start;
      const status = await send(n);
      samples.push({ n, at, status, latencyMs: performance.now() - start - at });
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
  return samples;
}

export function statuses(samples: readonly Sample[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of samples) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** A readable line, in milliseconds. */
export function latencies(samples: readonly Sample[]): string {
  const values = samples.map(({ latencyMs }) => latencyMs);
  const parts = [0.5, 0.95, 0.99, 1].map((share) => {
    const name = share === 1 ? 'max' : `p${share * 100}`;
    const ms = share === 1 ? values.reduce((a, b) => Math.max(a, b), 0) : percentile(values, share);
    return `${name} ${ms.toFixed(1)}`.padEnd(11);
  });
  return `${parts.join('  ')} ms`;
}
