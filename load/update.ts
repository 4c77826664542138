/**
 * `npm run bench -- update DIR [--tasks 1000000] [--rate 50]`: from the build in DIR to this one while users call. DIR is another
 * checkout that is built, as for `builds`. Its process serves alone at first; then this build migrates the database and a process of it
 * serves beside the other, until no task is left that the sweeper has to store anew. Then the other one stops, and the sweeper
 * stores what that one has written meanwhile. No call may fail.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startApi, type Api } from '../test/support/api.js';
import { runApp } from '../test/support/run.js';
import { runSql } from '../test/support/test-database.js';
import { waitFor } from '../test/support/wait.js';
import { roomySettings, withDeployment, type Deployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { latencies, onSchedule, statuses, steadily, type Sample } from './support/load.js';
import { isFailed, MixedLoad } from './support/outage.js';
import { seedUsers, type LoadUser } from './support/users.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tasks: { type: 'string', default: '1000000' }, rate: { type: 'string', default: '50' } },
});
const [root] = positionals;
if (root === undefined) throw new Error('From which build? npm run bench -- update DIR');
const [tasks, rate] = [Number(values.tasks), Number(values.rate)];
const tasksOfEach = 50;
const users = 200;
const batchSize = 20_000;
const aloneSeconds = 10;
const longestMs = 3_600_000;

/** Tasks $1 to $2, of 1,000 users who do not call, as the other build stores them. */
const moreTasks = `
  INSERT INTO tasks.tasks (id, user_id, title, description, status, priority, tags, created_at, updated_at, version)
  SELECT gen_random_uuid(), md5((n % 1000)::text)::uuid, 'Prüfe Vertrag ' || n, 'TCP/IP, “notes” ' || md5(n::text), 'todo', 'none',
    CASE WHEN n % 3 = 0 THEN '{work}' ELSE '{}' END::text[], now() - n * interval '1 second', now(), 1
  FROM generate_series($1::int, $2::int) AS n`;

await withDeployment({ apis: [{}], root, postgresSettings: roomySettings }, async (deployment) => {
  const callers = await seedUsers(deployment, { users, tasksOfEach });
  for (let first = users * tasksOfEach; first < tasks; first += batchSize)
    await runSql(deployment.databaseUrl, moreTasks, [first, Math.min(tasks, first + batchSize) - 1]);
  const seconds: Record<string, number> = {};
  const phase = async (name: string, apis: readonly Api[], work: () => Promise<unknown>): Promise<void> => {
    const begun = performance.now();
    const samples = await whileCalled(apis, callers, work);
    seconds[name] = (performance.now() - begun) / 1000;
    say(
      `  ${name}, ${seconds[name].toFixed(0)} s: ${latencies(samples)} ${JSON.stringify(statuses(samples))}`,
    );
    const value = samples.filter(isFailed).length;
    report({ bench: 'update', what: `failed calls: ${name}`, value, atMost: 0 });
  };
  const [old] = deployment.apis;
  if (old === undefined) throw new Error('There is no process.');
  const { databaseUrl, environment: env } = deployment;
  await phase('the other build alone', [old], () => sleep(aloneSeconds * 1000));
  await phase('migrations', [old], async () => {
    const { code, output } = await runApp('migrate', [], { ...env, DATABASE_URL: databaseUrl });
    if (code !== 0) throw new Error(`The migrations failed:\n${output}`);
  });
  const own = await startApi({ databaseUrl, env });
  await phase('both builds, until the tasks are stored anew', [old, own], () => untilFilled(deployment, 100));
  await phase('this build alone', [own], async () => {
    await old.stop();
    await untilFilled(deployment, 0);
  });
  await own.stop();
});

/** Calls at the rate until the work is done. */
async function whileCalled(
  apis: readonly Api[],
  callers: readonly LoadUser[],
  work: () => Promise<unknown>,
): Promise<Sample[]> {
  const load = new MixedLoad(apis, callers, 1);
  const samples: Sample[] = [];
  let isDone = false;
  const calls = async (): Promise<void> => {
    for (let n = 0; !isDone; n += rate)
      samples.push(...(await onSchedule(steadily(rate, 1), (each) => load.send(n + each))));
  };
  await Promise.all([calls(), work().finally(() => (isDone = true))]);
  load.close();
  return samples;
}

/** The other build writes tasks that are to be stored anew all the time: `most` of them may be left. */
async function untilFilled({ databaseUrl }: Deployment, most: number): Promise<void> {
  const isFilled = async (): Promise<boolean> => {
    const [row] = await runSql(
      databaseUrl,
      'SELECT count(*)::int AS left FROM (SELECT FROM tasks.tasks WHERE search_version < 1 LIMIT $1) AS outdated',
      [most + 1],
    );
    return Number(row?.['left']) <= most;
  };
  await waitFor(isFilled, { timeoutMs: longestMs, intervalMs: 1000, what: 'the tasks to be stored anew' });
}
