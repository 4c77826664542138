import { jest } from '@jest/globals';
import { rm } from 'node:fs/promises';
import type { Client, Session } from '../support/client.js';
import { Namespace } from './support/kube.js';
import { Release } from './support/release.js';
import { followRunbook } from './support/runbook.js';

jest.setTimeout(1_500_000);

const primary = `${Release.fullname}-postgres-primary`;

let namespace: Namespace;
let release: Release;

beforeEach(async () => {
  namespace = await Namespace.create('test-recovery');
  release = new Release(namespace);
  await release.install({ values: { backup: { enabled: true } } });
});
afterEach(() => namespace.remove());

/** A user with three tasks. */
async function newUser(api: Client): Promise<Session> {
  const session = await api.registerAndLogin();
  for (const title of ['one', 'two', 'three'])
    await api.request('POST', '/v1/tasks', { token: session.accessToken, body: { title } });
  return session;
}

async function titlesOf(api: Client, { email, password }: Session): Promise<readonly unknown[]> {
  const { accessToken } = await api.login(email, password);
  const { body } = await api.request('GET', '/v1/tasks?sort=created_at', { token: accessToken });
  return (body['data'] as readonly { readonly title: unknown }[]).map(({ title }) => title);
}

it('the runbook restores a backup into an empty namespace, with all data', async () => {
  const session = await newUser(await release.client());
  const job = ['create', 'job', 'backup-now', `--from=cronjob/${Release.fullname}-backup`];
  await namespace.kubectl(job);
  await namespace.kubectl(['wait', '--for=condition=Complete', 'job/backup-now', '--timeout=240s']);
  const restored = await Namespace.create('test-recovery-restored');
  try {
    await followRunbook('restore-backup', { origin: namespace.name, namespace: restored.name });
    const api = await new Release(restored).client();
    expect(await titlesOf(api, session)).toEqual(['one', 'two', 'three']);
  } finally {
    await rm('restore.dump', { force: true });
    await restored.remove();
  }
});

it('a primary that lost its volume refuses to start empty, and the runbook rebuilds it from a replica', async () => {
  const api = await release.client();
  const session = await newUser(api);
  await namespace.kubectl(['delete', 'pvc', `data-${primary}-0`, '--wait=false']);
  await namespace.kubectl(['delete', 'pod', `${primary}-0`]);
  await namespace.waitFor('the primary to refuse', async () => {
    const logs = await namespace.kubectl(['logs', `${primary}-0`, '--tail=20']);
    return logs.includes('holds data');
  });
  // The replicas continue to serve reads, and nothing is written.
  const { accessToken: token } = session;
  expect((await api.request('GET', '/v1/tasks?limit=3', { token })).status).toBe(200);
  expect((await api.request('POST', '/v1/tasks', { token, body: { title: 'lost' } })).status).toBe(503);

  await followRunbook('rebuild-primary', { namespace: namespace.name });

  await namespace.waitFor('writes', async () => {
    const answer = await api.request('POST', '/v1/tasks', { token, body: { title: 'four' } });
    return answer.status === 201;
  });
  expect(await titlesOf(api, session)).toEqual(['one', 'two', 'three', 'four']);
  await namespace.waitFor('both replicas', async () => {
    const sql = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    return (await namespace.exec(`${primary}-0`, ['psql', '-XAtU', 'postgres', '-c', sql])).trim() === '2';
  });
});
