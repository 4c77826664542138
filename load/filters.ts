/**
 * `npm run bench -- filters [--tasks N]`: the latency of lists that few tasks match, for a user with N tasks (default
 * 100,000) of which 25 match, compared with a user with 100 tasks of which 25 match, in every order. Beside them, 1,000
 * users have 100 tasks each. The requests alternate, one at a time, without the cache.
 * Exit code 1: for a filter, the median over all orders is more than 3 times as long.
 */
import { parseArgs } from 'node:util';
import { uuidv7 } from '../libs/platform/ids/uuid.js';
import { startApi } from '../test/support/api.js';
import { client, type Client, type Json, type Session } from '../test/support/client.js';
import { fillTasks } from '../test/support/fill-tasks.js';
import { startPostgres } from '../test/support/postgres.js';
import { addSelectiveTasks, matchesOfAFilter, selectiveFilters } from '../test/support/selective-tasks.js';
import { runSql } from '../test/support/test-database.js';
import { report, say } from './support/figures.js';
import { percentile } from './support/percentile.js';

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '100000' }, postgres: { type: 'string', default: '18' } },
});
const limit = 3;
const rounds = 20;
const sorts = ['created_at', 'updated_at', 'due_at', 'priority', 'title'].flatMap((key) => [key, `-${key}`]);

// A signal ends the process without its `exit` event, which would leave the server and its files behind.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const settings = { shared_buffers: '1GB', max_wal_size: '8GB', autovacuum: false };
const postgres = await startPostgres({ settings, version: Number(values.postgres) });
const api = await startApi({
  databaseUrl: postgres.url,
  env: { LOG_LEVEL: 'warn', ACCESS_TOKEN_TTL_SECONDS: '3600', CACHE_ENABLED: 'false' },
});
const caller = client(api.url);
try {
  const [many, few] = [await caller.registerAndLogin(), await caller.registerAndLogin()];
  await fillTasks(postgres.url, [{ owners: Array.from({ length: 1000 }, () => uuidv7()), count: 100_000 }]);
  await addSelectiveTasks(postgres.url, many.userId, Number(values.tasks));
  await addSelectiveTasks(postgres.url, few.userId, 100);
  await runSql(postgres.url, 'VACUUM (ANALYZE) tasks.tasks');
  for (const filter of selectiveFilters) {
    await compare(caller, filter, { many, few }, 2);
    const { manyMs, fewMs } = await compare(caller, filter, { many, few }, rounds);
    const what = `p50, ${values.tasks} tasks/100, ${new URLSearchParams(filter).toString()}`;
    say(`  ${manyMs.toFixed(2)} and ${fewMs.toFixed(2)} ms`);
    report({ bench: 'filters', what, value: manyMs / fewMs, atMost: limit });
  }
} finally {
  caller.close();
  await api.stop();
  await postgres.stop();
}

type Filter = Readonly<Record<string, string>>;

/** The medians over all sorts. */
async function compare(
  caller: Client,
  filter: Filter,
  { many, few }: { many: Session; few: Session },
  rounds: number,
): Promise<{ manyMs: number; fewMs: number }> {
  const times = { many: [] as number[], few: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const sort of sorts) {
      times.many.push(await timeList(caller, many, { ...filter, sort }));
      times.few.push(await timeList(caller, few, { ...filter, sort }));
    }
  }
  return { manyMs: percentile(times.many, 0.5), fewMs: percentile(times.few, 0.5) };
}

async function timeList(caller: Client, { accessToken }: Session, query: Filter): Promise<number> {
  const path = `/v1/tasks?${new URLSearchParams({ ...query, limit: '25' }).toString()}`;
  const started = performance.now();
  const { status, body } = await caller.request<{ data: Json[] }>('GET', path, { token: accessToken });
  const elapsed = performance.now() - started;
  if (status !== 200 || body.data.length !== matchesOfAFilter) throw new Error(`No list: ${status}, ${path}`);
  return elapsed;
}
