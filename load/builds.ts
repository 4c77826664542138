/**
 * `npm run bench -- builds DIR [STARTS]`: CPU of this build's API process against that of another build, for the mix of 90 reads
 * and 10 writes. DIR is another checkout, such as a worktree of an older commit, with its own `dist` and `node_modules`; the
 * path is absolute or relative to this project. Each build has its own Postgres and Redis and seeds them itself, with
 * the same users and tasks.
 *
 * Two processes of the same build differ by up to 5 % as long as they live, and the one that is started first takes more
 * CPU. So both are restarted several times, an even number: 12 by default, at least 6, for about a minute each, and each
 * build is started first every second time. Two starts give one ratio, the geometric mean of theirs; the result is the
 * median of these.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cpuPairs, ratioOf, reportMedian, type CpuPair } from './support/cpu-pairs.js';
import { withDeployment, type Deployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { Side } from './support/side.js';
import { seedUsers } from './support/users.js';

const userCount = 50;
const tasksOfEach = 50;
const pairs = 4;
const warmUpPairs = 3;
const atMost = 1.03;

const [folder, starts = '12'] = process.argv.slice(2);
const other = { apis: [{}], root: otherBuild(folder) };
const own = { apis: [{}] };
const ratios: number[] = [];
for (let round = 1; round <= Number(starts) / 2; round++) {
  const starting = [
    await withDeployment(own, (subject) => withDeployment(other, (baseline) => compare(subject, baseline))),
    await withDeployment(other, (baseline) => withDeployment(own, (subject) => compare(subject, baseline))),
  ];
  ratios.push(Math.sqrt(starting.reduce((product, ratio) => product * ratio, 1)));
  say(
    `starts ${2 * round - 1} and ${2 * round} of ${starts}: this build/the other ${starting.map((ratio) => ratio.toFixed(3)).join(' and ')}`,
  );
}
const value = reportMedian('this build/the other', ratios);
report({ bench: 'builds', what: 'CPU, this build/the other', value, atMost });

function otherBuild(folder: string | undefined): string {
  if (folder === undefined) throw new Error('Which other build? npm run bench -- builds DIR');
  const root = resolve(folder);
  for (const needed of [join('dist', 'apps', 'api', 'main.js'), 'node_modules'])
    if (!existsSync(join(root, needed)))
      throw new Error(
        `There is no ${needed} in ${root}: install and build it first (npm ci, npm run build).`,
      );
  return root;
}

async function compare(subject: Deployment, baseline: Deployment): Promise<number> {
  const sides = { subject: await sideOf(subject), baseline: await sideOf(baseline) };
  const found = await cpuPairs({ sides, pairs, warmUpPairs });
  for (const side of Object.values(sides)) side.close();
  return ratioOf(total(found));
}

async function sideOf(deployment: Deployment): Promise<Side> {
  const [api] = deployment.apis;
  if (api === undefined) throw new Error('A process is needed.');
  return new Side(api, await seedUsers(deployment, { users: userCount, tasksOfEach }));
}

function total(found: readonly CpuPair[]): CpuPair {
  const sum = (name: keyof CpuPair): number => found.reduce((seconds, pair) => seconds + pair[name], 0);
  return { subject: sum('subject'), baseline: sum('baseline') };
}
