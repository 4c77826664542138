import { say } from './figures.js';
import { inTurns, latencies, statuses, type Send } from './load.js';
import { percentile } from './percentile.js';

const secondsOfAStep = 5;
const mostP99Ms = 250;
const leastRise = 1.05;

/** Calls per second that can just be served: more clients bring no more, or wait too long. */
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
    if (p99 > mostP99Ms) break;
    const isNoMore = perSecond < best * leastRise;
    best = Math.max(best, perSecond);
    if (isNoMore) break;
  }
  return best;
}
