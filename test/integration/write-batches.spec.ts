import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { CallContext } from '../../libs/platform/context/call-context.js';
import { Deadline } from '../../libs/platform/context/deadline.js';
import { featureName } from '../../libs/platform/context/feature-name.js';
import type { Database } from '../../libs/platform/database/database.js';
import { WriteGuard, WriteUnsafe } from '../../libs/platform/consistency/write-guard.js';
import { userScope } from '../../libs/platform/context/scope.js';
import { valuesOf } from '../../libs/platform/database/write-batches.js';
import { NotUsable } from '../../libs/platform/postgres/database-unavailable.js';
import type { PostgresServer } from '../../libs/platform/postgres/postgres-server.js';
import { callsSql, mayCommit, rowWrite } from '../../libs/platform/database/row-write.js';
import { DeadlineExceeded } from '../../libs/platform/errors/common-errors.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { viewOfUser } from '../support/user-view.js';
import { waitFor } from '../support/wait.js';

let redis: TestRedis;
let opened: TestDataPath;
let database: Database;

beforeAll(async () => {
  redis = await startRedis();
  opened = await openTestDataPath('write-batches', [], { REDIS_URL: redis.url });
  await opened.dataSource.query(`
    CREATE SCHEMA things;
    CREATE TABLE things.things (
      id uuid PRIMARY KEY, name text NOT NULL CONSTRAINT chk_name CHECK (name <> 'bad'), changes int NOT NULL DEFAULT 0)`);
  database = opened.path.databases.forFeature(featureName('things'));
  await waitFor(() => opened.path.consistency.isTrusted(), { what: 'trust in the caches' });
});
beforeEach(() => opened.dataSource.query('TRUNCATE things.things'));
afterAll(async () => {
  await opened.close();
  await redis.stop();
});

const insert = rowWrite(
  () => `
    WITH ${callsSql('id uuid, name text')},
    effect AS (INSERT INTO things.things (id, name) SELECT id, name FROM calls RETURNING id, name)
    SELECT n, effect.name, ${mayCommit} FROM calls JOIN effect USING (id)`,
);

const rename = rowWrite(
  (forUpdate) => `
    WITH ${callsSql('id uuid, name text')},
    found AS MATERIALIZED (
      SELECT n, thing.id AS thing_id, calls.name AS new_name
      FROM calls CROSS JOIN LATERAL (SELECT id FROM things.things WHERE id = calls.id ${forUpdate}) AS thing),
    effect AS (
      UPDATE things.things SET name = new_name, changes = changes + 1 FROM found WHERE id = thing_id
      RETURNING id, name, changes)
    SELECT n, name, changes, ${mayCommit} FROM found JOIN effect ON id = thing_id`,
);

/** As within a request of a user of its own. */
async function asUser<T>(work: () => Promise<T>, deadline = Deadline.none): Promise<T> {
  const call = new CallContext({ deadline });
  call.view = await viewOfUser(opened.path, randomUUID());
  return call.run(work);
}

const add = (name: string, id = randomUUID()) => asUser(() => database.writeRow(insert, { id, name }));
const change = (id: string, name: string) =>
  asUser(() => database.writeRow(rename, { id, name }, { key: id }));

/** What is stored, and in how many transactions it was written. */
async function stored() {
  const [row] = await opened.dataSource.query<{ names: string[]; transactions: number }[]>(
    `SELECT array_agg(name ORDER BY name) AS names, count(DISTINCT xmin::text)::int AS transactions FROM things.things`,
  );
  return { names: row?.names ?? [], transactions: row?.transactions ?? 0 };
}

/** Holds the lock of a row until `release` is called. */
async function lock(id: string): Promise<{ release(): Promise<void> }> {
  const client = new Client({ connectionString: opened.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM things.things WHERE id = $1 FOR UPDATE', [id]);
  return { release: () => client.end() };
}

const isWaiting = async (): Promise<boolean> => {
  const rows = await opened.dataSource.query<unknown[]>('SELECT FROM pg_locks WHERE NOT granted');
  return rows.length > 0;
};

describe('writes that come together', () => {
  it('share transactions, and each gets its own answer', async () => {
    const names = Array.from({ length: 64 }, (_, n) => `thing ${String(n).padStart(2, '0')}`);
    const rows = await Promise.all(names.map((name) => add(name)));
    expect(rows.map((row) => row?.[0])).toEqual(names);
    const found = await stored();
    expect(found.names).toEqual(names);
    expect(found.transactions).toBeLessThan(64);
  });

  it('each leave a last-write position of their own user', async () => {
    const calls = await Promise.all(
      ['one', 'two', 'three'].map(async (name) => {
        const call = new CallContext();
        call.view = await viewOfUser(opened.path, randomUUID());
        await call.run(() => database.writeRow(insert, { id: randomUUID(), name }));
        return call.view;
      }),
    );
    for (const { scope } of calls) {
      const lastWrites = await opened.path.consistency.store?.ask([scope]);
      expect(lastWrites?.get(scope)?.byFeature.get('things')).toMatchObject({ kind: 'known' });
    }
  });

  it('are run alone where one of them fails, which fails for its own call only', async () => {
    const names = ['a', 'b', 'bad', 'c', 'd'];
    const results = await Promise.allSettled(names.map((name) => add(name)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(results[2]).toMatchObject({ reason: { constraint: 'chk_name' } });
    expect((await stored()).names).toEqual(['a', 'b', 'c', 'd']);
  });

  it('do not wait for one whose row is locked', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
    await Promise.all(ids.map((id) => add('old', id)));
    const { release } = await lock(ids[0]);
    const locked = change(ids[0], 'late');
    const others = await Promise.all([change(ids[1], 'new'), change(ids[2], 'new')]);
    expect(others.map((row) => row?.slice(0, 2))).toEqual([
      ['new', '1'],
      ['new', '1'],
    ]);
    await waitFor(isWaiting, { what: 'the call whose row is locked' });
    expect((await stored()).names).toEqual(['new', 'new', 'old']);
    await release();
    expect((await locked)?.slice(0, 2)).toEqual(['late', '1']);
  });

  it('of one row take effect one after the other', async () => {
    const id = randomUUID();
    await add('old', id);
    const rows = await Promise.all(Array.from({ length: 12 }, (_, n) => change(id, `change ${n}`)));
    const counts = rows.map((row) => Number(row?.[1])).sort((a, b) => a - b);
    expect(counts).toEqual(rows.map((_, n) => n + 1));
  });

  it('return nothing for a row that does not exist', async () => {
    expect(await change(randomUUID(), 'nobody')).toBeNull();
  });

  it('end at the deadline of their call, without an effect, while they wait to be sent', async () => {
    const blocker = new Client({ connectionString: opened.url });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE things.things IN ACCESS EXCLUSIVE MODE');
    // As many as are under way at a time: what comes next waits.
    const sent = Array.from({ length: 4 * 16 }, (_, n) => add(`sent ${n}`));
    await waitFor(isWaiting, { what: 'the first batches' });
    const late = asUser(
      () => database.writeRow(insert, { id: randomUUID(), name: 'late' }),
      new Deadline(300),
    );
    const { primary } = opened.path.databases.servers;
    await waitFor(() => primary?.pool.pending === 1, { what: 'a write that the metrics show to wait' });
    await expect(late).rejects.toBeInstanceOf(DeadlineExceeded);
    expect(primary?.pool.pending).toBe(0);
    await blocker.end();
    await Promise.all(sent);
    const { names } = await stored();
    expect([names.length, names.includes('late')]).toEqual([64, false]);
  });

  it('that are long are run alone', async () => {
    const long = 'long '.repeat(2000);
    const rows = await Promise.all([add(long), add('short'), add(long)]);
    expect(rows.map((row) => row?.[0])).toEqual([long, 'short', long]);
    expect((await stored()).transactions).toBe(3);
  });

  it('announce nothing any more once they were given up', async () => {
    const scope = userScope(randomUUID());
    const guard = await WriteGuard.obtain(opened.path.consistency, 'things', [scope], undefined);
    await guard.abandon(false);
    await expect(guard.commitBy()).rejects.toThrow(WriteUnsafe);
    const lastWrites = await opened.path.consistency.store?.ask([scope]);
    expect(lastWrites?.get(scope)?.byFeature.get('things')?.kind).not.toBe('writing');
  });

  it('go elsewhere where the primary was lost just before they are sent', () => {
    const lost = { name: 'primary', state: null } as PostgresServer;
    expect(() => valuesOf([{ row: '{}' }], performance.now(), lost)).toThrow(NotUsable);
  });
});
