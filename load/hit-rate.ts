/**
 * `npm run bench -- hit-rate [--seconds N] [--rate N] [--users N] [--seed N]`: the share of cacheable reads that are hits.
 * The trace is generated first: 90 % reads and 10 % writes by users who return by a Zipf law (s = 1), each call through
 * one of two processes, chosen at random. The ceiling is what an ideal cache would reach on that trace: shared by all
 * processes, never full, and losing only entries that a write of the same user outdates or whose TTL has expired.
 */
import { parseArgs } from 'node:util';
import { Random } from '../test/consistency/random.js';
import { Caller } from './support/caller.js';
import { withDeployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { latencies, onSchedule, statuses, steadily } from './support/load.js';
import { Metrics } from './support/metrics.js';
import { callOf, kinds, Mix, type Step } from './support/mix.js';
import { seedUsers } from './support/users.js';

const option = (value: string) => ({ type: 'string', default: value }) as const;
const { values } = parseArgs({
  options: { seconds: option('120'), rate: option('150'), users: option('1000'), seed: option('1') },
});
const [seconds, rate] = [Number(values.seconds), Number(values.rate)];
const [users, seed] = [Number(values.users), Number(values.seed)];

/** The TTL of each cache and the writes that outdate its entries, as the features define them. */
const caches = {
  'task-lists': { ttlMs: 5 * 60_000, features: ['tasks'] },
  'task-stats': { ttlMs: 60_000, features: ['tasks'] },
  profiles: { ttlMs: 3_600_000, features: ['auth', 'users'] },
} as const;

const times = steadily(rate, seconds);
const steps = new Mix(seed, users, 1).steps(times.length);
const reads = steps.filter(({ kind }) => kind.cache !== null).length;
const ceiling = idealHits(steps, times);

await withDeployment({ apis: [{}, {}] }, async (deployment) => {
  const { apis } = deployment;
  const seeded = await seedUsers(deployment, { users, tasksOfEach: 50 });
  const callers = apis.map(({ url }) => new Caller(url));
  const random = new Random(seed);
  const ways = steps.map(() => Math.floor(random.next() * callers.length));
  const before = await Metrics.of(apis);
  const samples = await onSchedule(times, (n) => {
    const [step, caller] = [steps[n], callers[ways[n] ?? 0]];
    const user = seeded[step?.user ?? 0];
    if (step === undefined || caller === undefined || user === undefined) throw new Error('No such step');
    return caller.send(callOf(step, user, n));
  });
  const after = await Metrics.of(apis);
  for (const caller of callers) caller.close();
  const losses = apis.flatMap((api) => api.logs().match(/Redis is lost|out of use/g) ?? []);
  if (losses.length > 0) say(`not measured at rest: ${losses.length} times caches were out of use`);
  const counted = (labels: Readonly<Record<string, string>>): number =>
    Object.keys(caches).reduce((sum, cache) => {
      const wanted = { ...labels, cache };
      return sum + after.sum('cache_requests_total', wanted) - before.sum('cache_requests_total', wanted);
    }, 0);
  const hits = counted({ result: 'hit' });
  say(
    `${steps.length} calls, ${reads} cacheable reads; ${latencies(samples)}; ${JSON.stringify(statuses(samples))}`,
  );
  for (const layer of ['memory', 'redis', 'flight'])
    say(`  hits in ${layer}: ${counted({ layer, result: 'hit' })}`);
  say(`  misses: ${counted({ result: 'miss' })}, bypassed: ${counted({ result: 'bypass' })}`);
  say(
    `hits ${hits} (${(hits / reads).toFixed(3)} of the reads), at best ${ceiling} (${(ceiling / reads).toFixed(3)})`,
  );
  report({ bench: 'hit-rate', what: 'hits/ceiling', value: hits / ceiling, atLeast: 0.95 });
});

function idealHits(steps: readonly Step[], times: readonly number[]): number {
  /** When each entry was created, by user and kind. */
  const kept = new Map<string, number>();
  let hits = 0;
  for (const [n, { kind, user }] of steps.entries()) {
    const now = times[n] ?? 0;
    for (const other of kinds) {
      if (kind.writes === null || other.cache === null) continue;
      const features: readonly string[] = caches[other.cache].features;
      if (features.includes(kind.writes)) kept.delete(`${user} ${other.name}`);
    }
    if (kind.cache === null) continue;
    const key = `${user} ${kind.name}`;
    const madeAt = kept.get(key);
    if (madeAt !== undefined && now - madeAt < caches[kind.cache].ttlMs) hits++;
    else kept.set(key, now);
  }
  return hits;
}
