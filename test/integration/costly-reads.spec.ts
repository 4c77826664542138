import { CallContext } from '../../libs/platform/context/call-context.js';
import { featureName } from '../../libs/platform/context/feature-name.js';
import type { Database } from '../../libs/platform/database/database.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { prepared, quick, type Statement } from '../../libs/platform/postgres/statement.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { waitFor } from '../support/wait.js';

const sleeping = prepared('SELECT pg_sleep($1::float8)');
const connections = prepared(`SELECT pg_backend_pid()::text, current_setting('statement_timeout')`);

let opened: TestDataPath;
let database: Database;
beforeAll(async () => {
  opened = await openTestDataPath('costly', [], { DATABASE_POOL_SIZE: '5' });
  database = opened.path.databases.forFeature(featureName('costly'));
});
afterAll(() => opened.close());

const callOf = (userId: string): CallContext => {
  const call = new CallContext();
  call.caller = { userId, sessionId: uuidv7(), role: 'user', tier: 'free', authenticatedAt: new Date() };
  return call;
};
const rows = (userId: string, statement: Statement, ...values: unknown[]) =>
  callOf(userId).run(() => database.rows(statement, values));

describe('a costly read', () => {
  it('is ended by the server after a second, and its connection serves the next one with the usual limit', async () => {
    const call = callOf(uuidv7());
    const slow = call.run(() => database.rows(sleeping, [30]));
    await expect(slow).rejects.toMatchObject({ kind: 'unavailable', code: 'query_too_expensive' });
    expect(call.costlyMs).toBeGreaterThan(900);
    const [row] = await rows(uuidv7(), connections);
    expect(row?.[1]).toBe('1s');
    const usual = await callOf(uuidv7()).run(() => database.rows(quick(connections.text), []));
    expect(usual[0]?.[1]).toBe('5s');
  });

  it('waits for those of its user alone; a few may wait, and the others are told so', async () => {
    const [busy, other] = [uuidv7(), uuidv7()];
    const all = Array.from({ length: 20 }, () =>
      rows(busy, sleeping, 0.3).then(
        () => 'done',
        (error: unknown) => (error as { readonly code: string }).code,
      ),
    );
    await rows(other, sleeping, 0);
    const first = await Promise.race(all.slice(0, 9));
    expect(first).toBe('done');
    const ends = await Promise.all(all);
    expect(ends.filter((end) => end === 'done')).toHaveLength(9);
    expect(ends.filter((end) => end === 'query_too_expensive')).toHaveLength(11);
    // Nothing is left of it.
    expect(await rows(busy, sleeping, 0)).toHaveLength(1);
  });

  it('of many users leaves connections to all other statements', async () => {
    const state = { isDone: false };
    const slow = Promise.all(Array.from({ length: 8 }, () => rows(uuidv7(), sleeping, 0.5))).finally(
      () => (state.isDone = true),
    );
    const running = async () => {
      const [row] = await opened.dataSource.query<{ count: number }[]>(
        `SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'`,
      );
      return row?.count ?? 0;
    };
    await waitFor(async () => (await running()) === 2);
    while (!state.isDone) expect(await running()).toBeLessThanOrEqual(2);
    await slow;
  });
});
