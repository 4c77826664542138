import { join } from 'node:path';
import { jest } from '@jest/globals';
import { databases, Namespace } from './support/kube.js';
import { underLoad } from './support/load.js';
import { forLoad, Release } from './support/release.js';

jest.setTimeout(900_000);

/** The chart as it was released; never packaged again. */
const first = join(import.meta.dirname, 'releases', 'task-api-0.1.0.tgz');

let namespace: Namespace;
let release: Release;

beforeAll(async () => {
  namespace = await Namespace.create('test-packaged');
  release = new Release(namespace);
  await release.install({ from: first, values: forLoad });
});
afterAll(() => namespace.remove());

it('the first released chart is upgraded under load: no request fails, data and secrets stay, Postgres is not restarted', async () => {
  const api = await release.client();
  const session = await api.registerAndLogin();
  await api.request('POST', '/v1/tasks', { token: session.accessToken, body: { title: 'From before' } });
  const before = { lives: await namespace.lives(...databases), secrets: await namespace.secrets() };

  const result = await underLoad({ url: await release.url(), rate: 20 }, async () => {
    await release.upgrade({ values: { ...forLoad, api: { podAnnotations: { upgrade: 'once' } } } });
    await namespace.rolledOut(`deployment/${Release.fullname}-api`);
  });
  expect(result).toMatchObject({ failed: 0, complaints: '' });
  expect(result.calls).toBeGreaterThan(200);

  expect({ lives: await namespace.lives(...databases), secrets: await namespace.secrets() }).toEqual(before);
  const tasks = await api.request('GET', '/v1/tasks', { token: session.accessToken });
  expect(tasks.body['data']).toMatchObject([{ title: 'From before' }]);
});
