/**
 * `npm run bench -- redis-loss [--rate N]`: two processes at half of their breakpoint without a cache (or at N calls per
 * second), 90 % reads and 10 % writes. Redis is killed and comes back empty; then it is stopped (SIGSTOP) and continued.
 * Each outage lasts 40 s. Calls that reach a stopped Redis wait for the timeout, 250 ms (`REDIS_TIMEOUT_MS`), until the
 * process knows that it is down. These are 0.6 % of the calls: visible in the maximum, not in the 99th percentile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Api } from '../test/support/api.js';
import type { TestRedis } from '../test/support/redis.js';
import { findBreakpoint } from './support/breakpoint.js';
import { withDeployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { onSchedule, steadily, type Sample } from './support/load.js';
import { Metrics } from './support/metrics.js';
import { isFailed, MixedLoad, p99, tell, within } from './support/outage.js';
import { seedUsers } from './support/users.js';

const { values } = parseArgs({ options: { rate: { type: 'string' } } });
const warmUpMs = 10_000;
const lossAt = warmUpMs + 20_000;
const outageMs = 40_000;
const returnAt = lossAt + outageMs;
const longestReturnMs = 20_000;
const endAt = returnAt + longestReturnMs;
const phases = {
  before: { name: 'before', from: warmUpMs, to: lossAt },
  during: { name: 'without Redis', from: lossAt, to: returnAt },
  after: { name: 'after its return', from: returnAt, to: endAt },
};

const losses = [
  { what: 'killed', lose: (redis: TestRedis) => redis.kill(), restore: (redis: TestRedis) => redis.start() },
  {
    what: 'stopped',
    lose: (redis: TestRedis) => redis.pause(),
    restore: (redis: TestRedis) => redis.resume(),
  },
] as const;

const uncached = { CACHE_ENABLED: 'false' };
await withDeployment({ apis: [{}, {}, uncached, uncached] }, async (deployment) => {
  const users = await seedUsers(deployment, { users: 200, tasksOfEach: 50 });
  const [apis, uncachedApis] = [deployment.apis.slice(0, 2), deployment.apis.slice(2)];
  const rate = values.rate === undefined ? await halfOfBreakpoint() : Number(values.rate);
  await Promise.all(uncachedApis.map((api) => api.stop()));
  for (const [n, loss] of losses.entries()) {
    say(`Redis ${loss.what}, ${rate} calls per second`);
    const load = new MixedLoad(apis, users, n + 2);
    const [samples, recoveredMs] = await Promise.all([
      onSchedule(steadily(rate, endAt / 1000), load.send),
      breakOff(loss, deployment.redis, apis),
    ]);
    tell(Object.values(phases), samples, load);
    judge(loss.what, samples, load, recoveredMs);
    load.close();
  }

  async function halfOfBreakpoint(): Promise<number> {
    say('what can just be served without a cache:');
    const load = new MixedLoad(uncachedApis, users, 1);
    const breakpoint = await findBreakpoint(load.send);
    load.close();
    return Math.round(breakpoint / 2);
  }
});

/** Returns how long after Redis came back all processes served responses from their caches again. */
async function breakOff(
  loss: (typeof losses)[number],
  redis: TestRedis,
  apis: readonly Api[],
): Promise<number> {
  await sleep(lossAt);
  await loss.lose(redis);
  await sleep(outageMs);
  await loss.restore(redis);
  const returned = performance.now();
  const hits = await Promise.all(apis.map(hitsOf));
  const isUsed = async (api: Api, n: number): Promise<boolean> => (await hitsOf(api)) > (hits[n] ?? Infinity);
  while (performance.now() - returned < longestReturnMs) {
    if ((await Promise.all(apis.map(isUsed))).every(Boolean)) return performance.now() - returned;
    await sleep(500);
  }
  return Infinity;
}

async function hitsOf(api: Api): Promise<number> {
  return (await Metrics.of([api])).sum('cache_requests_total', { result: 'hit', cache: 'task-lists' });
}

function judge(what: string, samples: readonly Sample[], load: MixedLoad, recoveredMs: number): void {
  const bench = 'redis-loss';
  const counted = samples.filter(({ at }) => at >= warmUpMs);
  const reads = counted.filter((sample) => load.isRead(sample));
  const growth = p99(within(reads, phases.during)) - p99(within(reads, phases.before));
  report({ bench, what: `${what}: failed calls`, value: counted.filter(isFailed).length, atMost: 0 });
  report({ bench, what: `${what}: growth of the reads' p99, ms`, value: growth, atMost: 50 });
  report({ bench, what: `${what}: until caches are used again, s`, value: recoveredMs / 1000, atMost: 10 });
}
