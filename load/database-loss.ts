/**
 * `npm run bench -- database-loss [--rate N]`: two processes without caches at half of their breakpoint (or at N calls
 * per second), 90 % reads and 10 % writes, on a primary with two replicas. One replica is killed, then the other; both
 * come back. Then the primary is killed; five seconds later one replica is promoted, and the other one follows it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Databases } from '../test/consistency/cluster/databases.js';
import { findBreakpoint } from './support/breakpoint.js';
import { withDeployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { onSchedule, steadily, type Sample } from './support/load.js';
import { isFailed, MixedLoad, tell, within, type Phase } from './support/outage.js';
import { seedUsers } from './support/users.js';

const { values } = parseArgs({ options: { rate: { type: 'string' } } });
const bench = 'database-loss';
const partMs = 10_000;
const unavailable = 503;

const names = [
  'before',
  'one replica gone',
  'both replicas gone',
  'both back',
  'primary gone',
  'after',
] as const;
const phases = names.map((name, n): Phase => ({ name, from: n * partMs, to: (n + 1) * partMs }));
const [, oneGone, bothGone, back, primaryGone, after] = phases;
const endAt = (after?.to ?? 0) + partMs;
const promoteAfterMs = 5000;
/** The maximum time after the promotion until no call fails. */
const maxReturnMs = 5000;

const uncached = { CACHE_ENABLED: 'false' };
await withDeployment({ apis: [uncached, uncached], isReplicated: true }, async (deployment) => {
  const { apis, databases } = deployment;
  if (databases === null) throw new Error('It needs replicas.');
  const users = await seedUsers(deployment, { users: 200, tasksOfEach: 50 });
  const warmUp = new MixedLoad(apis, users, 1);
  say('what can just be served:');
  const breakpoint = await findBreakpoint(warmUp.send);
  warmUp.close();
  const rate = values.rate === undefined ? Math.round(breakpoint / 2) : Number(values.rate);
  say(`${rate} calls per second`);
  const load = new MixedLoad(apis, users, 2);
  const start = performance.now();
  const [samples, promotedAt] = await Promise.all([
    onSchedule(steadily(rate, endAt / 1000), load.send),
    strike(databases, start),
  ]);
  load.close();
  const last = { name: 'primary gone', from: primaryGone?.from ?? 0, to: promotedAt };
  const again = { name: 'a replica promoted', from: promotedAt, to: endAt };
  tell([...phases.slice(0, 4), last, again], samples, load);
  judge(samples, load, promotedAt);
});

/** Returns when the promoted replica accepted writes, in milliseconds from `start`. */
async function strike(databases: Databases, start: number): Promise<number> {
  const until = (at = 0): Promise<void> => sleep(Math.max(0, start + at - performance.now()));
  const [first, second] = databases.replicas;
  if (first === undefined || second === undefined) throw new Error('It needs two replicas.');
  await until(oneGone?.from);
  await first.kill();
  await until(bothGone?.from);
  await second.kill();
  await until(back?.from);
  await Promise.all([first.start(), second.start()]);
  await until(primaryGone?.from);
  await databases.primary.kill();
  await until((primaryGone?.from ?? 0) + promoteAfterMs);
  await first.promote();
  const promotedAt = performance.now() - start;
  await second.follow(first);
  return promotedAt;
}

function judge(samples: readonly Sample[], load: MixedLoad, promotedAt: number): void {
  const failed = (phase: Phase | undefined): number =>
    phase === undefined ? NaN : within(samples, phase).filter(isFailed).length;
  report({ bench, what: 'one replica killed: failed calls', value: failed(oneGone), atMost: 0 });
  report({ bench, what: 'both replicas killed: failed calls', value: failed(bothGone), atMost: 0 });
  report({ bench, what: 'both replicas back: failed calls', value: failed(back), atMost: 0 });

  const without = within(samples, { name: '', from: primaryGone?.from ?? 0, to: promotedAt });
  const reads = without.filter((sample) => load.isRead(sample));
  const wrong = without.filter((sample) => isFailed(sample) && sample.status !== unavailable);
  report({ bench, what: 'primary killed: failures other than 503', value: wrong.length, atMost: 0 });
  const answered = reads.filter((sample) => !isFailed(sample)).length / reads.length;
  report({ bench, what: 'primary killed: reads answered', value: answered, atLeast: 0.95 });

  const failures = samples.filter((sample) => sample.at >= promotedAt && isFailed(sample));
  const lastFailure = Math.max(promotedAt, ...failures.map(({ at }) => at));
  const seconds = (lastFailure - promotedAt) / 1000;
  report({
    bench,
    what: 'replica promoted: until no call fails, s',
    value: seconds,
    atMost: maxReturnMs / 1000,
  });
}
