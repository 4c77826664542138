import { say } from './figures.js';
import { inTurns, latencies, statuses, type Send } from './load.js';
import { percentile } from './percentile.js';

const secondsOfAStep = 5;
const maxP99Ms = 250;
const minRise = 1.05;

/** The highest rate that can be served, in calls per second: with more clients it rises no further, or they wait too long. */
export async function findBreakpoint(send: Send): Promise<number> {
  let best = 0;
  for (let clients = 4; clients <= 128; clients *= 2) {
    const end = performance.now() + secondsOfAStep * 1000;
    const samples = await inTurns(clients, send, () => performance.now() < end);
    const perSecond = samples.length / secondsOfAStep;
    const p99 = percentile(
      samples.map(({ latencyMs }) => latencyMs),
      0.99,
    );
    say(
      `  ${clients} clients: ${perSecond.toFixed(0)}/s, ${latencies(samples)} ${JSON.stringify(statuses(samples))}`,
    );
    if (p99 > maxP99Ms) break;
    const isNoMore = perSecond < best * minRise;
    best = Math.max(best, perSecond);
    if (isNoMore) break;
  }
  return best;
}
