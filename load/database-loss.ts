/**
 * `npm run bench -- database-loss [--silent] [--seconds 60] [--rate 200]`: three processes at that many calls per second, 90 % reads and
 * 10 % writes, on a primary with two synchronous replicas. One replica is gone, then both, then all are back; then the primary is gone
 * for so many seconds, until the right replica is promoted. `--silent`: the servers hang instead of being killed, as where a machine
 * has no power: no connection breaks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import type { Databases } from '../test/consistency/cluster/databases.js';
import type { PostgresNode } from '../test/support/postgres-node.js';
import { withDeployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { onSchedule, steadily, type Sample } from './support/load.js';
import { isFailed, MixedLoad, p99, tell, within, type Phase } from './support/outage.js';
import { seedUsers } from './support/users.js';

const { values } = parseArgs({
  options: {
    silent: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '200' },
  },
});
const isSilent = values.silent;
const bench = isSilent ? 'database-loss --silent' : 'database-loss';
const rate = Number(values.rate);
const partMs = 10_000;
const goneMs = Number(values.seconds) * 1000;
const afterMs = 15_000;
/** What fails before is not counted: the first calls find out. */
const noticeMs = 2000;
/** A server that is back is in use by then. */
const backMs = 5000;
/** Of three processes: pools of ten, and one each for questions and for control. */
const maxConnections = 3 * 12;
/** The maximum time after the promotion until no call fails. */
const maxReturnMs = 3000;
const unavailable = 503;

const lengths = {
  before: partMs,
  'one replica gone': partMs,
  'both replicas gone': partMs,
  'both back': partMs,
  'primary gone': goneMs,
  after: afterMs,
};
let startsAt = 0;
const phases = Object.entries(lengths).map(([name, length]): Phase => {
  const from = startsAt;
  startsAt += length;
  return { name, from, to: startsAt };
});
const phase = (name: keyof typeof lengths): Phase => {
  const found = phases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no phase ${name}.`);
  return found;
};

// Nobody stops a server that is silent before another one is promoted.
const environment = { CACHE_ENABLED: 'false', ...(isSilent && { DATABASE_PROMOTION: 'automatic' }) };
const apis = [environment, environment, environment];
const tasksOfEach = 50;
const userCount = 200;

await withDeployment({ apis, isReplicated: true, isSynchronous: true }, async (deployment) => {
  const { databases } = deployment;
  if (databases === null) throw new Error('It needs replicas.');
  const users = await seedUsers(deployment, { users: userCount, tasksOfEach });
  await warmUp(new MixedLoad(deployment.apis, users, 1));
  const load = new MixedLoad(deployment.apis, users, 2);
  const before = await countTasks(databases);
  const start = performance.now();
  const [samples, promotedAt] = await Promise.all([
    onSchedule(steadily(rate, startsAt / 1000), load.send),
    strike(databases, start),
  ]);
  load.close();
  const gone = { ...phase('primary gone'), to: promotedAt };
  const again = { name: 'a replica promoted', from: promotedAt, to: startsAt };
  tell([...phases.slice(0, 4), gone, again], samples, load);
  const created = samples.filter((sample) => load.isCreate(sample) && !isFailed(sample)).length;
  const lost = before + created - (await countTasks(databases));
  report({ bench, what: 'acknowledged tasks that are missing', value: Math.max(0, lost), atMost: 0 });
  judge(samples, load, gone, promotedAt);
});

async function warmUp(load: MixedLoad): Promise<void> {
  await onSchedule(steadily(rate, 10), load.send);
  load.close();
}

async function ask(url: string, sql: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ count: number }>(sql);
  await client.end();
  return rows[0]?.count ?? 0;
}

function countTasks(databases: Databases): Promise<number> {
  return ask(databases.urlOf(databases.primary), 'SELECT count(*)::int AS count FROM tasks.tasks');
}

/** Those that were opened since the statistics of the server began, this one included. */
function countSessions(databases: Databases, node: PostgresNode): Promise<number> {
  return ask(
    databases.urlOf(node),
    'SELECT sessions::int AS count FROM pg_stat_database WHERE datname = current_database()',
  );
}

async function lose(node: PostgresNode): Promise<void> {
  if (isSilent) node.pause();
  else await node.kill();
}

async function bringBack(node: PostgresNode): Promise<void> {
  if (isSilent) node.resume();
  else await node.start();
}

/** Returns when the promoted replica accepted writes, in milliseconds from `start`. */
async function strike(databases: Databases, start: number): Promise<number> {
  const until = (at = 0): Promise<void> => sleep(Math.max(0, start + at - performance.now()));
  const [first, second] = databases.replicas;
  if (first === undefined || second === undefined) throw new Error('It needs two replicas.');
  await until(phase('one replica gone').from);
  const sessions = await countSessions(databases, first);
  await lose(first);
  await until(phase('both replicas gone').from);
  await lose(second);
  await until(phase('both back').from);
  await Promise.all([bringBack(first), bringBack(second)]);
  await until(phase('both back').from + backMs);
  if (isSilent) {
    const value = (await countSessions(databases, first)) - sessions;
    report({ bench, what: 'both back: connections opened to one replica', value, atMost: maxConnections });
  }
  await until(phase('primary gone').from);
  const old = databases.primary;
  await lose(old);
  await until(phase('primary gone').to);
  await databases.promoteBest();
  const promotedAt = performance.now() - start;
  if (isSilent) old.resume();
  return promotedAt;
}

function judge(samples: readonly Sample[], load: MixedLoad, gone: Phase, promotedAt: number): void {
  const reads = samples.filter((sample) => load.isRead(sample));
  const noticed = (each: Phase): Phase => ({ ...each, from: each.from + noticeMs });
  const failed = (of: readonly Sample[], each: Phase): number => within(of, each).filter(isFailed).length;
  for (const name of ['before', 'both back'] as const)
    report({ bench, what: `${name}: failed calls`, value: failed(samples, noticed(phase(name))), atMost: 0 });
  const oneGone = phase('one replica gone');
  report({ bench, what: 'one replica gone: failed calls', value: failed(samples, oneGone), atMost: 0 });
  const both = noticed(phase('both replicas gone'));
  // Without a heartbeat nobody knows whether the primary still is one.
  if (!isSilent)
    report({ bench, what: 'both replicas gone: failed reads', value: failed(reads, both), atMost: 0 });
  report({ bench, what: 'primary gone: failed reads', value: failed(reads, noticed(gone)), atMost: 0 });
  const wrong = samples.filter((sample) => isFailed(sample) && sample.status !== unavailable);
  report({ bench, what: 'failures other than 503', value: wrong.length, atMost: 0 });
  // While a replica is being promoted, reads wait for it.
  const ratio = p99(within(reads, noticed(phase('primary gone')))) / p99(within(reads, phase('before')));
  report({ bench, what: 'primary gone: p99 of reads, of quiet', value: ratio, atMost: 3 });
  const failures = samples.filter((sample) => sample.at >= promotedAt && isFailed(sample));
  const lastFailure = Math.max(promotedAt, ...failures.map(({ at }) => at));
  const seconds = (lastFailure - promotedAt) / 1000;
  report({ bench, what: 'promoted: until no call fails, s', value: seconds, atMost: maxReturnMs / 1000 });
  say(`${rate} calls per second`);
}
