import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Task } from '../integration/replicas-fixture.js';
import { client, type Client, type Session } from '../support/client.js';
import { run } from './support/command.js';
import { Namespace } from './support/kube.js';
import { forLoad, Release } from './support/release.js';

jest.setTimeout(900_000);

const primary = `${Release.fullname}-postgres-primary-0`;
const withoutPowerMs = 85_000;
/** So long after the loss reads may still find out. */
const noticeMs = 2000;
const readsASecond = 30;

let namespace: Namespace;
let release: Release;

beforeAll(async () => {
  namespace = await Namespace.create('test-node-loss');
  release = new Release(namespace);
  await release.install({ values: forLoad });
});
afterAll(() => namespace.remove());

/** `NODE_POWER stop-node N` takes the power from the node whose name ends with N, `start-node N` brings it back. */
async function power(verb: 'stop-node' | 'start-node', node: string): Promise<void> {
  const program = process.env['NODE_POWER'];
  if (program === undefined) throw new Error('NODE_POWER must name the program that stops and starts nodes.');
  const [number = ''] = /\d+$/.exec(node) ?? [];
  await run(program, [verb, number]);
}

const nodeOf = async (component: string): Promise<readonly string[]> =>
  (await namespace.pods(component)).map(({ spec }) => spec.nodeName ?? '');

function oneOf<T>(all: readonly T[], n: number): T {
  const one = all[n % all.length];
  if (one === undefined) throw new Error('There is none.');
  return one;
}

interface Call {
  /** In milliseconds since the node lost its power. */
  readonly at: number;
  readonly status: number;
}

/** Sends a call every `everyMs`, whether or not the ones before are answered. Calls without an answer have status 0. */
function calling(everyMs: number, send: (n: number) => Promise<{ readonly status: number }>) {
  const since = performance.now();
  const calls: Promise<Call>[] = [];
  const over = new AbortController();
  const one = async (n: number): Promise<Call> => {
    const at = performance.now() - since;
    const status = await send(n).then(
      (answer) => answer.status,
      () => 0,
    );
    return { at, status };
  };
  const all = (async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      calls.push(one(n));
      await sleep(everyMs);
    }
  })();
  return {
    stop: async (): Promise<readonly Call[]> => {
      over.abort();
      await all;
      return Promise.all(calls);
    },
  };
}

/** The pods of the API that keep their power. Those of the lost node have requests until Kubernetes finds out. */
async function livingApis(lost: string): Promise<readonly Client[]> {
  const pods = (await namespace.pods('api')).filter(({ spec }) => spec.nodeName !== lost);
  expect(pods.length).toBeGreaterThan(0);
  return pods.map(({ status }) => client(`http://${status.podIP ?? ''}:5000`));
}

it('the node of the primary has no power for 85 s: reads go on, writes come back with it, and nothing is lost', async () => {
  const [lost = ''] = await nodeOf('postgres-primary');
  // Two members of three on one node would be two failures at once.
  expect(await nodeOf('postgres-replica')).not.toContain(lost);
  const apis = await livingApis(lost);
  const apiOf = (n: number): Client => oneOf(apis, n);
  const users: Session[] = [];
  for (let n = 0; n < 5; n++) users.push(await apiOf(n).registerAndLogin());
  const userOf = (n: number): Session => oneOf(users, n);
  const acknowledged: { readonly user: Session; readonly id: string }[] = [];
  const write = async (n: number) => {
    const user = userOf(n);
    const answer = await apiOf(n).request<Task>('POST', '/v1/tasks', {
      token: user.accessToken,
      body: { title: `task ${n}` },
      timeoutMs: 30_000,
    });
    if (answer.status === 201) acknowledged.push({ user, id: answer.body.id });
    return answer;
  };
  for (let n = 0; n < 20; n++) expect((await write(n)).status).toBe(201);

  await power('stop-node', lost);
  const reads = calling(1000 / readsASecond, (n) =>
    apiOf(n).request('GET', '/v1/tasks', { token: userOf(n).accessToken }),
  );
  const writes = calling(1000, write);
  try {
    await sleep(withoutPowerMs);
  } finally {
    await power('start-node', lost);
  }
  await namespace.waitFor('the primary', async () => (await write(0)).status === 201);
  const [read, written] = [await reads.stop(), await writes.stop()];

  const failed = read.filter(({ at, status }) => at > noticeMs && status !== 200);
  expect(read.length).toBeGreaterThan(500);
  expect(failed).toEqual([]);
  expect(written.filter(({ status }) => status !== 201 && status !== 503)).toEqual([]);
  for (const { user, id } of acknowledged)
    expect((await apiOf(0).request('GET', `/v1/tasks/${id}`, { token: user.accessToken })).status).toBe(200);
  expect(await namespace.exec(primary, ['psql', '-XAtU', 'postgres', '-c', 'SELECT 1'])).toBe('1\n');
});
