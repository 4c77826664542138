/**
 * `npm run bench -- start`: how soon a further process of the API is of use, as an autoscaler starts it, on a database that is
 * migrated and has tasks:
 *
 * - from its exec to readiness: median of ten starts;
 * - its memory a second after readiness: the largest of those;
 * - under load from readiness on, as it comes to a process that was missing: requests in the second that begins ten seconds after
 *   readiness, and in the first one, against a second once it is warm: a list from the cache and a task by its id over 64
 *   connections, each in three processes. Needs `wrk`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeployment, type Deployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { medianOf } from './support/median.js';
import { rssMiB } from './support/memory.js';
import { percentile } from './support/percentile.js';
import { requestRate } from './support/request-rate.js';
import { withAnotherApi } from './support/starts.js';
import { seedUsers, type LoadUser } from './support/users.js';

const starts = 10;
const processesOfEach = 3;
const earlySeconds = 10;
const warmUpSeconds = 10;
const warmSeconds = 5;
const drainMs = 1000;

const highLimits = { RATE_LIMIT_PREMIUM_POINTS: '1000000000', RATE_LIMIT_CREDENTIALS_POINTS: '1000000' };

await withDeployment({ apis: [highLimits] }, async (deployment) => {
  const [user] = await seedUsers(deployment, { users: 1, tasksOfEach: 100 });
  if (user === undefined) throw new Error('A user is needed.');
  // It would take a share of the processors.
  for (const api of deployment.apis) await api.stop();
  const target = { ...deployment, environment: { ...deployment.environment, ...highLimits } };
  await measureStarts(target);
  await measureWarmth(target, user, 'cached list', '/v1/tasks?limit=25');
  await measureWarmth(target, user, 'task by id', `/v1/tasks/${user.taskIds[0] ?? ''}`);
});

async function measureStarts(deployment: Deployment): Promise<void> {
  const times: number[] = [];
  const memory: number[] = [];
  for (let n = 0; n < starts; n++) {
    await withAnotherApi(deployment, async ({ api, startMs }) => {
      times.push(startMs);
      await sleep(1000);
      memory.push(rssMiB(api.pid));
    });
  }
  say(`start to ready: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  report({ bench: 'start', what: 'start to ready, s', value: medianOf(times).value / 1000, atMost: 2 });
  report({ bench: 'start', what: 'RSS after the start, MiB', value: Math.max(...memory), atMost: 150 });
}

async function measureWarmth(
  deployment: Deployment,
  { token }: LoadUser,
  what: string,
  path: string,
): Promise<void> {
  const atFirst: number[] = [];
  const afterTen: number[] = [];
  for (let n = 0; n < processesOfEach; n++) {
    await withAnotherApi(deployment, async ({ api }) => {
      const rate = (seconds: number): Promise<number> => requestRate(`${api.url}${path}`, token, seconds);
      const first = await rate(1);
      await rate(earlySeconds - 1);
      const early = await rate(1);
      await rate(warmUpSeconds);
      const warm = await rate(warmSeconds);
      const figures = [first, early, warm].map((each) => each.toFixed(0));
      say(
        `${what}, a second: ${figures[0]} at first, ${figures[1]} after ten seconds, ${figures[2]} once warm`,
      );
      atFirst.push(first / warm);
      afterTen.push(early / warm);
      // What the last requests asked of Postgres goes on though their clients have gone: no process is stopped in the middle of it.
      await sleep(drainMs);
    });
  }
  const value = percentile(afterTen, 0.5);
  // It has no limit, so it is no check.
  say(`${what}, first second/warm: ${percentile(atFirst, 0.5).toFixed(2)}`);
  report({ bench: 'start', what: `${what}, ten seconds after ready/warm`, value, atLeast: 0.5 });
}
