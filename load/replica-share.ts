/**
 * `npm run bench -- replica-share [--seconds N]`: the share of uncached reads that two replicas serve, among the reads
 * that start more than a second after their user's last write. One process takes the writes, of all users in turn, so
 * that there is always something to replicate. The other process takes only such reads; its counters show who served them.
 */
import { parseArgs } from 'node:util';
import { Caller } from './support/caller.js';
import { withDeployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { latencies, onSchedule, statuses, steadily } from './support/load.js';
import { Metrics } from './support/metrics.js';
import { callOf, kinds, type Step } from './support/mix.js';
import { seedUsers } from './support/users.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } });
const seconds = Number(values.seconds);
const users = 200;
const readsPerSecond = 150;
const writesPerSecond = 20;
const restMs = 1000;

const readKinds = kinds.filter(({ writes }) => writes === null);
const writeKinds = kinds.filter(({ writes }) => writes !== null);
const env = { CACHE_ENABLED: 'false' };

await withDeployment({ apis: [env, env], isReplicated: true }, async (deployment) => {
  const [reading, writing] = deployment.apis;
  if (reading === undefined || writing === undefined) throw new Error('Two processes are needed.');
  const seeded = await seedUsers(deployment, { users, tasksOfEach: 50 });
  const callers = { read: new Caller(reading.url), write: new Caller(writing.url) };
  /** By user; Infinity while a write is in progress. */
  const wroteAt = new Map<number, number>();

  const send = (caller: Caller, step: Step, n: number): Promise<number> =>
    caller.send(callOf(step, seeded[step.user] ?? { token: '', taskIds: [] }, n));
  const write = async (n: number): Promise<number> => {
    const user = n % users;
    wroteAt.set(user, Infinity);
    const kind = writeKinds[n % writeKinds.length] ?? kinds[0];
    const status = await send(callers.write, { kind, user }, n);
    wroteAt.set(user, performance.now());
    return status;
  };
  let latest = 0;
  /** Picks the next user whose last write is old enough. */
  const read = async (n: number): Promise<number> => {
    const isRested = (user: number): boolean => performance.now() - (wroteAt.get(user) ?? -Infinity) > restMs;
    do latest = (latest + 1) % users;
    while (!isRested(latest));
    return send(callers.read, { kind: readKinds[n % readKinds.length] ?? kinds[0], user: latest }, n);
  };

  const before = await Metrics.of([reading]);
  const [reads, writes] = await Promise.all([
    onSchedule(steadily(readsPerSecond, seconds), read),
    onSchedule(steadily(writesPerSecond, seconds), write),
  ]);
  const after = await Metrics.of([reading]);
  for (const caller of [callers.read, callers.write]) caller.close();

  say(`${reads.length} reads, ${JSON.stringify(statuses(reads))}, ${latencies(reads)}`);
  say(`${writes.length} writes, ${JSON.stringify(statuses(writes))}, ${latencies(writes)}`);
  const served = (target: string): number =>
    after.sum('db_reads_total', { db_target: target }) - before.sum('db_reads_total', { db_target: target });
  const [replica, primary] = [served('replica'), served('primary')];
  say(`statements of reads, with those of session checks: ${replica} by replicas, ${primary} by the primary`);
  report({
    bench: 'replica-share',
    what: 'reads by replicas, a second after a write',
    value: replica / (replica + primary),
    atLeast: 0.95,
  });
});
