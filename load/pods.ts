/**
 * `npm run bench -- pods`: requests a second of three pods against those of one, each limited to a fifth of a core, with cached
 * lists. In the cluster of the kubeconfig, from inside of its network, with the chart's image in its nodes: as `npm run test:cluster`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Namespace } from '../test/cluster/support/kube.js';
import { forLoad, Release } from '../test/cluster/support/release.js';
import type { Client } from '../test/support/client.js';
import { runWrk } from './compare/wrk.js';
import { report, say } from './support/figures.js';
import { medianOf } from './support/median.js';

const users = 20;
const tasksOfEach = 30;
const connections = 60;
/** A pod with a fifth of a core takes that long until its code is compiled. */
const warmUpSeconds = 90;
const rounds = 6;
const secondsOfARound = 10;

const folder = await mkdtemp(join(tmpdir(), 'task-api-pods-'));
const namespace = await Namespace.create('bench-pods');
try {
  const release = new Release(namespace);
  await release.install({ values: valuesOf({ replicas: 1 }) });
  const client = await release.client();
  const tokens: string[] = [];
  for (let n = 0; n < users; n++) tokens.push(await newUser(client));
  await writeFile(join(folder, 'users'), `${tokens.join('\n')}\n`);

  const [one, three] = [await measure(release, 1), await measure(release, 3)];
  report({ bench: 'pods', what: 'requests/s of three pods, against one', value: three / one, atLeast: 2.7 });
} finally {
  await namespace.remove();
  await rm(folder, { recursive: true, force: true });
}

function valuesOf(api: Readonly<Record<string, unknown>>) {
  const config = { ...forLoad.config, ACCESS_TOKEN_TTL_SECONDS: '3600' };
  return { config, api: { ...api, autoscaling: { enabled: false } } };
}

/** Returns the access token of a new user with tasks. */
async function newUser(client: Client): Promise<string> {
  const { accessToken } = await client.registerAndLogin();
  const operations = Array.from({ length: tasksOfEach }, (_, n) => ({
    op: 'create',
    data: { title: `Task ${n}`, description: 'Collect the figures, then write the summary.' },
  }));
  const { status } = await client.request('POST', '/v1/tasks/bulk', {
    token: accessToken,
    body: { operations },
  });
  if (status !== 200) throw new Error(`The tasks could not be made: ${status}`);
  return accessToken;
}

async function measure(release: Release, replicas: number): Promise<number> {
  const resources = { requests: { cpu: '200m' }, limits: { cpu: '200m' } };
  await release.upgrade({ values: valuesOf({ replicas, resources }) });
  await namespace.rolledOut(`deployment/${Release.fullname}-api`);
  await namespace.leftAlone('api');
  const url = await release.url();
  let runs = 0;
  const run = (seconds: number) =>
    runWrk({ url, script: 'list-cached', connections, seconds, data: folder, start: ++runs * 1_000_000 });
  await run(warmUpSeconds);
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { perSecond, refused, timedOut, p99 } = await run(secondsOfARound);
    say(
      `  ${replicas} pods: ${perSecond.toFixed(0)}/s, p99 ${p99.toFixed(0)} ms, ${refused} refused, ${timedOut} timed out`,
    );
    found.push(perSecond);
  }
  return medianOf(found).value;
}
