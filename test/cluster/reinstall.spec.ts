import { jest } from '@jest/globals';
import { Namespace } from './support/kube.js';
import { Release } from './support/release.js';

jest.setTimeout(900_000);

let namespace: Namespace;
let release: Release;

beforeAll(async () => {
  namespace = await Namespace.create('test-reinstall');
  release = new Release(namespace);
  await release.install();
});
afterAll(() => namespace.remove());

it('keeps secrets and data when it is uninstalled and installed again', async () => {
  const first = await release.client();
  const session = await first.registerAndLogin();
  await first.request('POST', '/v1/tasks', { token: session.accessToken, body: { title: 'Still there' } });
  const secrets = await namespace.secrets();

  await release.uninstall();
  await namespace.waitFor('the pods to go', async () => (await namespace.list('pods')).length === 0);
  await release.install();

  expect(await namespace.secrets()).toEqual(secrets);
  const second = await release.client();
  const { accessToken } = await second.login(session.email, session.password);
  const tasks = await second.request('GET', '/v1/tasks', { token: accessToken });
  expect(tasks.body['data']).toMatchObject([{ title: 'Still there' }]);
  // Signed by the key of the first installation.
  expect((await second.request('GET', '/v1/tasks', { token: session.accessToken })).status).toBe(200);
});
