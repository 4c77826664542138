// The bundled Postgres: durable settings, roles, replication, and reads of the API that replicas serve.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { call, deleteUser, eventually, newUser, step } from './client.mjs';

const pg = createRequire('/app/package.json')('pg');
const replicaUrls = (process.env.DATABASE_REPLICA_URLS ?? '').split(',').filter(Boolean);
const reads = 20;

async function connect(url) {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  await client.connect();
  return client;
}

/** The first value of the first row. */
async function ask(client, sql, values = []) {
  const { rows } = await client.query({ text: sql, values, rowMode: 'array' });
  return rows[0]?.[0];
}

const primary = await connect(process.env.DATABASE_URL);
const replicas = await Promise.all(replicaUrls.map(connect));

await step('the primary takes writes and loses none of them', async () => {
  assert.equal(await ask(primary, 'SELECT pg_is_in_recovery()'), false);
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'])
    assert.equal(await ask(primary, `SHOW ${setting}`), 'on', setting);
});
await step(`writes wait for replicas: ${process.env.SYNCHRONOUS}`, async () => {
  const names = await ask(primary, 'SHOW synchronous_standby_names');
  assert.match(names, process.env.SYNCHRONOUS === 'true' ? /^ANY 1 / : /^$/);
});
for (const [i, replica] of replicas.entries())
  await step(`replica ${i} is one`, async () => {
    assert.equal(await ask(replica, 'SELECT pg_is_in_recovery()'), true);
    assert.equal(await ask(replica, 'SHOW fsync'), 'on');
  });

const { access_token: token } = await step('a user registers and logs in', newUser);
const created = await step('writes a task', () =>
  call(201, 'POST', '/v1/tasks', { token, body: { title: 'helm test' } }),
);
const { id } = created.body;
for (const [i, replica] of replicas.entries())
  await step(`the task arrives on replica ${i}`, () =>
    eventually(30, async () => {
      assert.equal(await ask(replica, 'SELECT count(*)::int FROM tasks.tasks WHERE id = $1', [id]), 1);
    }),
  );

const scansOf = `SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables
  WHERE schemaname = 'tasks' AND relname = 'tasks'`;
const scans = async () =>
  (await Promise.all(replicas.map((replica) => ask(replica, scansOf)))).reduce((a, b) => a + Number(b), 0);

if (replicas.length > 0)
  await step('replicas serve the reads of the API', async () => {
    const headers = { 'consistency-token': created.headers.get('consistency-token') };
    // Counts of a session are told seconds after its query: what came before must be in.
    let before = -1;
    await eventually(30, async () => {
      const last = before;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      before = await scans();
      assert.equal(before, last);
    });
    for (let i = 0; i < reads; i += 1) await call(200, 'GET', `/v1/tasks/${id}`, { token, headers });
    await eventually(30, async () => assert.ok((await scans()) - before >= reads / 2, 'too few scans'));
  });

await step('deletes the account', () => deleteUser(token));
await Promise.all([primary, ...replicas].map((client) => client.end()));
