import { jest } from '@jest/globals';
import type { Client, Session } from '../support/client.js';
import { Namespace } from './support/kube.js';
import { Release } from './support/release.js';
import { followRunbook } from './support/runbook.js';

jest.setTimeout(900_000);

const primary = `${Release.fullname}-postgres-primary`;
const replica = `${Release.fullname}-postgres-replica`;
const env = { namespace: 'test-postgres', name: Release.fullname };

/** Little WAL is kept, so that a replica soon is too far behind. */
const bundled = {
  maxSlotWalKeepSize: '32MB',
  parameters: { max_wal_size: '48MB', min_wal_size: '32MB' },
};

let namespace: Namespace;
let release: Release;
let client: Client;
let session: Session;

beforeAll(async () => {
  namespace = await Namespace.create(env.namespace);
  release = new Release(namespace);
  await release.install({ values: { postgres: { bundled } } });
  client = await release.client();
  session = await client.registerAndLogin();
});
afterAll(() => namespace.remove());

const sql = async (pod: string, statement: string): Promise<string> =>
  (await namespace.exec(pod, ['psql', '-XAtqU', 'postgres', '-c', statement])).trim();

const streaming = async (): Promise<string> =>
  sql(`${primary}-0`, `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'`);

const create = (title: string) =>
  client.request('POST', '/v1/tasks', { token: session.accessToken, body: { title } });

it('clones a replica again that was down for too long', async () => {
  await namespace.kubectl(['scale', 'statefulset', replica, '--replicas=1']);
  await namespace.kubectl(['wait', '--for=delete', `pod/${replica}-1`, '--timeout=120s']);
  await sql(
    `${primary}-0`,
    'CREATE TABLE filler AS SELECT repeat(g::text, 100) FROM generate_series(1, 300000) g',
  );
  await sql(`${primary}-0`, 'DROP TABLE filler');
  await sql(`${primary}-0`, 'CHECKPOINT');
  expect(await sql(`${primary}-0`, 'SELECT wal_status FROM pg_replication_slots WHERE NOT active')).toBe(
    'lost',
  );

  await namespace.kubectl(['scale', 'statefulset', replica, '--replicas=2']);
  await namespace.waitFor('both replicas to stream', async () => (await streaming()) === '2');
  expect(await namespace.kubectl(['logs', `${replica}-1`])).toContain(
    'The primary no longer has the WAL that this replica needs.',
  );
});

it('works with new passwords and keys after the steps of the runbook', async () => {
  const before = await namespace.secrets();
  await followRunbook('rotate-passwords', env);

  const after = await namespace.secrets();
  for (const [key, value] of Object.entries(before[`${Release.fullname}-credentials`] ?? {}))
    expect([key, after[`${Release.fullname}-credentials`]?.[key]]).not.toEqual([key, value]);
  session = { ...session, ...(await client.login(session.email, session.password)) };
  expect((await create('Written with the new ones')).status).toBe(201);
  await namespace.kubectl(['delete', 'pod', `${replica}-0`]);
  await namespace.waitFor('both replicas to stream', async () => (await streaming()) === '2');
});

it('drops the slot of a removed replica, which would retain WAL and dead rows', async () => {
  const slots = () => sql(`${primary}-0`, 'SELECT slot_name FROM pg_replication_slots');
  await release.upgrade({ values: { postgres: { bundled: { ...bundled, replicas: 1 } } } });
  await namespace.waitFor(
    'one slot to be left',
    async () => (await slots()) === `${replica}-0`.replaceAll('-', '_'),
  );
  expect((await create('Written with one replica')).status).toBe(201);
});
