import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { startFleet, type Fleet } from '../support/fleet.js';
import type { Session } from '../support/client.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { expectProblem } from '../support/problem.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { runApp } from '../support/run.js';
import { sharedSettings } from '../support/shared-settings.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { createTask, listTasks } from './replicas-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);

const execute = promisify(execFile);

let postgres: TestPostgres;
let redis: TestRedis;
let folder: string;
let settings: Readonly<Record<string, string>>;
let fleet: Fleet;

/** Two processes with the keys of all others of this suite. */
async function startProcesses(): Promise<void> {
  fleet = await startFleet({ size: 2, databaseUrl: postgres.url, env: settings });
  for (const each of fleet.members)
    await waitFor(async () => (await each.metric('consistency_trusted')) === 1, { what: 'trust' });
}

async function copy(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await execute('cp', ['-a', from, to], { timeout: 60_000 });
}

const dataDirectory = async () =>
  String((await runSql(postgres.adminUrl, "SELECT current_setting('data_directory') AS data"))[0]?.['data']);

/** LSN, as text that compares; the timeline is the same before and after. */
const currentLsn = async () =>
  String(
    (
      await runSql(
        postgres.url,
        `SELECT lpad(to_hex((pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint), 16, '0') AS lsn`,
      )
    )[0]?.['lsn'],
  );

/** What Redis has of a feature's last write to the view of the user. */
async function lastWriteOf(feature: string, { userId }: Session) {
  const fields = await redis.command('HMGET', `{${userId}}:notes`, `p${feature}`, `d${feature}`);
  const [position, database] = fields as readonly (string | null)[];
  return { lsn: position?.slice(8) ?? '', database };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'restored-'));
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  settings = { ...(await sharedSettings(folder)), REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000' };
  await startProcesses();
});
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a database that was put back to an older state, with a Redis that kept everything', () => {
  it('refuses a session on the next request after its end, and shows what is written, once its id is renewed', async () => {
    const session = await fleet.member(0).registerAndLogin();
    const data = await dataDirectory();
    const backup = join(data, '..', 'backup');
    await fleet.stop();
    await postgres.kill();
    await copy(data, backup);
    await postgres.start();

    await startProcesses();
    await runSql(
      postgres.url,
      "SELECT pg_logical_emit_message(false, 'much', repeat('x', 8000000)), pg_switch_wal()",
    );
    await fleet.member(0).login(session.email, session.password);
    await createTask(fleet.member(0), session, 'lost with the newer state');
    for (const each of [...fleet.members, ...fleet.members])
      expect((await listTasks(each, session)).body.data).toHaveLength(1);
    const before = await lastWriteOf('auth', session);
    await fleet.stop();
    await postgres.kill();
    await copy(backup, data);
    await postgres.start();
    expect((await currentLsn()) < before.lsn).toBe(true);

    const { code, output } = await runApp('cli', ['database', 'renew-id'], { DATABASE_URL: postgres.url });
    expect([code, output]).toEqual([0, expect.stringContaining('new id')]);
    await startProcesses();
    for (const each of fleet.members) expect((await listTasks(each, session)).body.data).toEqual([]);
    await createTask(fleet.member(0), session, 'new');
    for (const each of fleet.members)
      expect((await listTasks(each, session)).body.data).toMatchObject([{ title: 'new' }]);
    const ended = await fleet.member(0).request('POST', '/v1/auth/logout', { token: session.accessToken });
    expect(ended.status).toBe(204);
    for (const each of [fleet.member(1), fleet.member(0)]) expectProblem(await listTasks(each, session), 401);

    const after = await lastWriteOf('auth', session);
    expect(after.lsn < before.lsn).toBe(true);
    expect(output).toContain(after.database);
    expect(after.database).not.toBe(before.database);
  });
});
