import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { Client } from 'pg';
import type { Session } from '../support/client.js';
import { startFleet, type Fleet, type FleetMember } from '../support/fleet.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { runSql, sharedDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

jest.setTimeout(60_000);

let redis: TestRedis;
let url: string;
let fleet: Fleet;
let caller: FleetMember;
let user: Session;

beforeAll(async () => {
  redis = await startRedis();
  url = await sharedDatabase('statement-writes');
  fleet = await startFleet({ size: 1, env: () => ({ DATABASE_URL: url, REDIS_URL: redis.url }) });
  caller = fleet.member(0);
  user = await caller.registerAndLogin();
  await waitFor(async () => (await caller.metric('consistency_trusted')) === 1);
});
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
});

const create = (title: string, key?: string) =>
  caller.request<{ id: string }>('POST', '/v1/tasks', {
    token: user.accessToken,
    body: { title },
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  });

const countOf = async (title: string): Promise<number> => {
  const [row] = await runSql(url, 'SELECT count(*)::int AS count FROM tasks.tasks WHERE title = $1', [title]);
  return Number(row?.['count']);
};

describe('a write that is one statement', () => {
  it('takes effect once where calls with one key come at the same time', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 16 }, () => create('At once', key)));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 201 && status !== 409)).toEqual([]);
    expect(await countOf('At once')).toBe(1);
    const created = answers.filter(({ status }) => status === 201);
    expect(new Set(created.map(({ body }) => body.id)).size).toBe(1);
    expect(created.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
  });

  it('is refused where it had to wait for a lock, and run again', async () => {
    // Each run takes a number, also one that is rolled back.
    await runSql(url, 'CREATE SEQUENCE tasks.runs');
    await runSql(
      url,
      `CREATE FUNCTION tasks.count_run() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN PERFORM nextval('tasks.runs'); RETURN new; END $$`,
    );
    await runSql(
      url,
      'CREATE TRIGGER count_run BEFORE INSERT ON tasks.tasks FOR EACH ROW EXECUTE FUNCTION tasks.count_run()',
    );
    const blocker = new Client({ connectionString: url });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE tasks.tasks IN ACCESS EXCLUSIVE MODE');
    const writing = create('Waited', randomUUID());
    const isWaiting = async () =>
      (await runSql(url, `SELECT FROM pg_locks WHERE NOT granted AND relation = 'tasks.tasks'::regclass`))
        .length > 0;
    await waitFor(isWaiting);
    // Longer than its write intent is certain to stand without being announced once more.
    await blocker.query('SELECT pg_sleep(1)');
    await blocker.query('COMMIT');
    await blocker.end();
    expect((await writing).status).toBe(201);
    expect(await countOf('Waited')).toBe(1);
    const [runs] = await runSql(url, 'SELECT last_value::int AS count FROM tasks.runs');
    expect(runs).toEqual({ count: 2 });
  });

  it('changes a task once for each of many changes at the same time', async () => {
    const { body } = await create('Contended');
    const path = `/v1/tasks/${body.id}`;
    const patch = (n: number, headers = {}) =>
      caller.request<{ version: number; title: string }>('PATCH', path, {
        token: user.accessToken,
        body: { title: `Change ${n}`, priority: n % 2 === 0 ? 'high' : 'low' },
        headers,
      });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => patch(n)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const versions = answers.map(({ body: task }) => task.version).sort((a, b) => a - b);
    expect(versions).toEqual(answers.map((_, n) => n + 2));
    const last = answers.find(({ body: task }) => task.version === 21);
    const read = await caller.request('GET', path, { token: user.accessToken });
    expect(read.text).toBe(last?.text);
    // Of those that expect one version, one succeeds.
    const expecting = await Promise.all(
      Array.from({ length: 8 }, (_, n) => patch(100 + n, { 'if-match': '"21"' })),
    );
    expect(expecting.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(412)]);
    // One that says nothing new keeps the version.
    const same = await caller.request('PATCH', path, {
      token: user.accessToken,
      body: { title: expecting.find(({ status }) => status === 200)?.body.title },
    });
    expect(same.body).toMatchObject({ version: 22 });
  });

  it('answers what a later read answers, byte for byte', async () => {
    const created = await create('Quotes " \\ and é, emoji 🎉, tab\tno');
    const plain = await create('Quotes " \\ and é, emoji 🎉');
    expect(created.status).toBe(422);
    expect(plain.status).toBe(201);
    const read = await caller.request('GET', `/v1/tasks/${plain.body.id}`, { token: user.accessToken });
    expect(read.text).toBe(plain.text);
    expect(read.headers['etag']).toBe(plain.headers['etag']);
  });
});
