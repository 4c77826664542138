import { jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi, type Api, type ApiOptions } from '../support/api.js';
import { makeCertificates } from '../support/certificates.js';
import { client } from '../support/client.js';
import { startPostgresTls, type TestPostgresTls } from '../support/postgres-tls.js';
import { runApp } from '../support/run.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);

let postgres: TestPostgresTls;
/** Path of another certificate authority, which did not sign the server's certificate. */
let stranger: string;
beforeAll(async () => {
  postgres = await startPostgresTls();
  stranger = await mkdtemp(join(tmpdir(), 'postgres-tls-stranger-'));
  await makeCertificates(stranger);
});
afterAll(async () => {
  await postgres.stop();
  await rm(stranger, { recursive: true, force: true });
});

const running: Api[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.kill()));
});
const start = async (options: ApiOptions) => {
  const api = await startApi({ ...options, env: { PGPASSWORD: postgres.password, ...options.env } });
  running.push(api);
  return api;
};
const verified = (url: string, caFile = postgres.caFile) =>
  `${url}?sslmode=verify-full&sslrootcert=${caFile}`;
const wrongCa = (url: string) => verified(url, join(stranger, 'ca.crt'));
const wrongName = (url: string) => verified(url.replace('127.0.0.1', 'localhost'));

describe('Postgres over TLS, with a password that must be escaped in a URL', () => {
  it('serves migrations, processes that wait for them, pools and probes, which all verify its certificate', async () => {
    const url = await postgres.createDatabase();
    const env = { DATABASE_URL: verified(url), PGPASSWORD: postgres.password };
    // Without TLS, the server accepts none of these.
    expect((await runApp('migrate', [], { ...env, DATABASE_URL: url })).code).toBe(1);
    expect(await runApp('migrate', [], env)).toMatchObject({ code: 0 });
    expect(await runApp('migrate', ['--wait'], env)).toMatchObject({ code: 0 });
    const api = await start({ databaseUrl: verified(url), env: { MIGRATE_ON_START: 'false' } });
    const { accessToken: token } = await client(api.url).registerAndLogin();
    const made = await client(api.url).request('POST', '/v1/tasks', { token, body: { title: 'Sealed' } });
    expect(made.status).toBe(201);
    process.env['PGPASSWORD'] = postgres.password;
    const sessions = await runSql(
      verified(url),
      `SELECT application_name AS name, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
       WHERE application_name LIKE 'task-api%' AND usename = 'task_api'`,
    ).finally(() => delete process.env['PGPASSWORD']);
    expect(new Set(sessions.map(({ name }) => name))).toEqual(
      new Set(['task-api', 'task-api-control', 'task-api-probe']),
    );
    expect(sessions.filter(({ ssl }) => ssl !== true)).toEqual([]);
    expect(api.logs()).not.toContain(postgres.password);
  });

  it.each([
    ['is by another authority', wrongCa, /self-signed certificate|unable to verify/],
    ['is for another host', wrongName, /does not match certificate|altnames/],
  ])(
    'is refused if its certificate %s: at the start, by the migrator and by waiting processes',
    async (_, url, words) => {
      const databaseUrl = url(await postgres.createDatabase());
      const env = { DATABASE_URL: databaseUrl, PGPASSWORD: postgres.password };
      for (const args of [[], ['--wait']]) {
        const run = await runApp('migrate', args, env);
        expect(run).toMatchObject({ code: 1, output: expect.stringMatching(words) });
      }
      const api = await start({ databaseUrl, waitUntilReady: false });
      expect(await api.exited()).toBe(1);
      expect(api.logs()).toMatch(words);
      expect(api.logs()).toContain('the start failed');
    },
  );

  it.each([
    ['by another authority', wrongCa, /self-signed certificate|unable to verify/],
    ['for another host', wrongName, /does not match certificate|altnames/],
  ])('gets no reads as a replica with a certificate %s, which is logged once', async (_, url, words) => {
    const primary = await postgres.createDatabase();
    const api = await start({
      databaseUrl: verified(primary),
      env: { DATABASE_REPLICA_URLS: url(primary) },
    });
    // Only lines about that replica: on a busy machine a probe of the primary may time out too.
    const refusals = () =>
      api
        .logs()
        .split('\n')
        .filter((line) => line.includes('a database server does not answer') && words.test(line));
    await waitFor(() => refusals().length > 0);
    // Time for several more probes.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(refusals()).toHaveLength(1);
    expect((await client(api.opsUrl).request('GET', '/readyz')).status).toBe(200);
  });
});
