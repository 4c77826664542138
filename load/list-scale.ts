/**
 * `npm run bench -- list-scale [--rows N]`: the latency of a list of 25 tasks with N tasks (default 10,000,000) in the
 * table, compared with 10,000. Both tables are on one server, each behind its own API process; the requests alternate,
 * one at a time. 100 users send them; each has 100 tasks, spread evenly over the table.
 * Exit code 1: with N tasks the median is more than 1.3 times as long. While it runs, 10,000,000 tasks take 10 GB in
 * the folder for temporary files.
 */
import { parseArgs } from 'node:util';
import { uuidv7 } from '../libs/platform/ids/uuid.js';
import { startApi, type Api } from '../test/support/api.js';
import { client, type Client, type Json } from '../test/support/client.js';
import { fillTasks } from '../test/support/fill-tasks.js';
import { startPostgres, type TestPostgres } from '../test/support/postgres.js';
import { runSql } from '../test/support/test-database.js';
import { report } from './support/figures.js';
import { percentile } from './support/percentile.js';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '10000000' } } });
const fewRows = 10_000;
const manyRows = Number(values.rows);
const askingUsers = 100;
const tasksOfAUser = 100;
const limit = 1.3;

/** A table and the API process that serves it. */
interface Side {
  readonly rows: number;
  readonly api: Api;
  readonly caller: Client;
  readonly tokens: readonly string[];
}

// A signal ends the process without its `exit` event, which would leave the server and its files behind.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const settings = { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '1h', autovacuum: false };
const postgres = await startPostgres({ settings });
const sides: Side[] = [];
try {
  for (const rows of [fewRows, manyRows]) sides.push(await openSide(postgres, rows));
  // The processes warm up with one user, so that the first request of every other user is still a cold one.
  await measure(sides, { users: 1, rounds: 500 });
  describe('first request of each user', await measure(sides, { users: askingUsers, rounds: 1 }));
  await measure(sides, { users: askingUsers, rounds: 5 });
  const ratio = describe('later requests', await measure(sides, { users: askingUsers, rounds: 30 }));
  report({ bench: 'list-scale', what: `p50, ${manyRows} tasks/${fewRows}`, value: ratio, atMost: limit });
} finally {
  for (const { api, caller } of sides) {
    caller.close();
    await api.stop();
  }
  await postgres.stop();
}

async function openSide(server: TestPostgres, rows: number): Promise<Side> {
  const databaseUrl = await server.createDatabase(`tasks_${rows}`);
  const env = { LOG_LEVEL: 'warn', ACCESS_TOKEN_TTL_SECONDS: '3600', CACHE_ENABLED: 'false' };
  const api = await startApi({ databaseUrl, env });
  const caller = client(api.url);
  const sessions = await Promise.all(Array.from({ length: askingUsers }, () => caller.registerAndLogin()));
  const asking = sessions.map(({ userId }) => userId);
  const others = Array.from({ length: rows / tasksOfAUser - askingUsers }, () => uuidv7());
  const started = performance.now();
  await fillTasks(databaseUrl, [{ owners: [...asking, ...others], count: rows }]);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const [size] = await runSql(
    databaseUrl,
    'SELECT pg_size_pretty(pg_database_size(current_database())) AS size',
  );
  process.stdout.write(`${rows} tasks made in ${seconds} s, ${String(size?.['size'])}\n`);
  const logins = sessions.map(({ email, password }) => caller.login(email, password));
  const tokens = (await Promise.all(logins)).map(({ accessToken }) => accessToken);
  return { rows, api, caller, tokens };
}

/** Milliseconds of each request to each side. The sides alternate in who comes first. */
async function measure(sides: readonly Side[], { users, rounds }: { users: number; rounds: number }) {
  const times = new Map(sides.map((side) => [side, [] as number[]]));
  for (let request = 0; request < users * rounds; request++) {
    const order = request % 2 === 0 ? sides : [...sides].reverse();
    for (const side of order) times.get(side)?.push(await timeList(side, request % users));
  }
  return times;
}

async function timeList({ caller, tokens }: Side, user: number): Promise<number> {
  const token = tokens[user] ?? '';
  const started = performance.now();
  const { status, body } = await caller.request<{ data: Json[] }>('GET', '/v1/tasks?limit=25', { token });
  const elapsed = performance.now() - started;
  if (status !== 200 || body.data.length !== 25) throw new Error(`No list of 25 tasks: ${status}`);
  return elapsed;
}

/** @returns how many times as long the last side takes as the first */
function describe(what: string, times: ReadonlyMap<Side, readonly number[]>): number {
  const medians = [...times.values()].map((values) => percentile(values, 0.5));
  const ratio = (medians.at(-1) ?? NaN) / (medians[0] ?? NaN);
  process.stdout.write(`${what}\n`);
  for (const [{ rows }, values] of times) {
    const [p50, p95] = [percentile(values, 0.5), percentile(values, 0.95)].map((ms) => ms.toFixed(2));
    process.stdout.write(`  ${String(rows).padStart(8)} tasks   p50 ${p50} ms   p95 ${p95} ms\n`);
  }
  process.stdout.write(`  ratio ${ratio.toFixed(3)}\n`);
  return ratio;
}
