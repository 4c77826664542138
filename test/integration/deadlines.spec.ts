import { jest } from '@jest/globals';
import { userScope } from '../../libs/platform/context/scope.js';
import { CallContext } from '../../libs/platform/context/call-context.js';
import { Deadline } from '../../libs/platform/context/deadline.js';
import { featureName } from '../../libs/platform/context/feature-name.js';
import type { Database } from '../../libs/platform/database/database.js';
import { DeadlineExceeded } from '../../libs/platform/errors/common-errors.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);
logger.level = 'silent';

const shortMs = 300;

/** Runs `work` in a call with a short deadline. */
const inShortCall = <T>(work: () => Promise<T>, deadline = new Deadline(shortMs)): Promise<T> =>
  new CallContext({ deadline }).run(work);

describe('the deadline of a call', () => {
  let opened: TestDataPath;
  let database: Database;

  beforeAll(async () => {
    opened = await openTestDataPath('deadlines', [], {
      DATABASE_POOL_SIZE: '1',
      DATABASE_CONNECT_TIMEOUT_MS: '20000',
      // So long that only the deadline can end a statement.
      DATABASE_STATEMENT_TIMEOUT_MS: '60000',
    });
    database = opened.path.databases.forFeature(featureName('deadlines'));
    await runSql(opened.url, 'CREATE TABLE notes (text text)');
  });
  afterAll(() => opened.close());

  const sleeping = async (): Promise<number> => {
    const rows = await runSql(
      opened.url,
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND query LIKE '%pg_sleep(10)'`,
    );
    return rows.length;
  };
  const isPoolFree = (): boolean => opened.path.servers.primary?.pool.used === 0;
  const texts = async () => (await runSql(opened.url, 'SELECT text FROM notes')).map(({ text }) => text);

  it('ends a statement, in the server too, and keeps the pool intact', async () => {
    const read = inShortCall(() => database.read((manager) => manager.query('SELECT pg_sleep(10)')));
    await expect(read).rejects.toThrow(DeadlineExceeded);
    await waitFor(async () => (await sleeping()) === 0, {
      timeoutMs: 5000,
      what: 'the end of the statement',
    });
    await waitFor(isPoolFree, { what: 'the connection' });
    await expect(database.read((manager) => manager.query('SELECT 1 AS n'))).resolves.toEqual([{ n: 1 }]);
  });

  it('ends a transaction, which has no effect', async () => {
    const write = inShortCall(() =>
      database.write(
        async (manager) => {
          await manager.query("INSERT INTO notes VALUES ('lost')");
          await manager.query('SELECT pg_sleep(10)');
        },
        { scopes: [] },
      ),
    );
    await expect(write).rejects.toThrow(DeadlineExceeded);
    await waitFor(async () => (await sleeping()) === 0, {
      timeoutMs: 5000,
      what: 'the end of the statement',
    });
    await waitFor(isPoolFree, { what: 'the connection' });
    expect(await texts()).not.toContain('lost');
  });

  it('prevents any further statement or COMMIT', async () => {
    const deadline = new Deadline(shortMs);
    const write = inShortCall(
      () =>
        database.write(
          async (manager) => {
            await manager.query("INSERT INTO notes VALUES ('late')");
            await waitFor(() => deadline.isExpired, { intervalMs: 10 });
          },
          { scopes: [] },
        ),
      deadline,
    );
    await expect(write).rejects.toThrow(DeadlineExceeded);
    await expect(inShortCall(() => database.read(() => Promise.resolve()), deadline)).rejects.toThrow(
      DeadlineExceeded,
    );
    await waitFor(isPoolFree, { what: 'the connection' });
    expect(await texts()).not.toContain('late');
  });

  it('ends the wait for a connection, which goes to the next caller', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
    const holder = database.read(() => released);
    await waitFor(() => !isPoolFree());
    await expect(inShortCall(() => database.read(() => Promise.resolve()))).rejects.toThrow(DeadlineExceeded);
    const next = database.read((manager) => manager.query('SELECT 2 AS n'));
    release(undefined);
    await holder;
    await expect(next).resolves.toEqual([{ n: 2 }]);
    await waitFor(isPoolFree, { what: 'the connection' });
  });

  it('does not end a COMMIT that was sent', async () => {
    await runSql(
      opened.url,
      `CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
       CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION wait_for_test()`,
    );
    const deadline = new Deadline(shortMs);
    const { promise: unlocked, resolve: unlock } = Promise.withResolvers<undefined>();
    const { promise: locked, resolve: tellLocked } = Promise.withResolvers<undefined>();
    const lock = opened.dataSource.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(7)');
      tellLocked(undefined);
      await unlocked;
    });
    await locked;
    const write = inShortCall(
      () => database.write((manager) => manager.query("INSERT INTO notes VALUES ('kept')"), { scopes: [] }),
      deadline,
    );
    await waitFor(() => deadline.isExpired);
    unlock(undefined);
    await Promise.all([lock, write]);
    expect(await texts()).toContain('kept');
  });
});

describe('the deadline of a call to a Redis that hangs', () => {
  let redis: TestRedis;
  let opened: TestDataPath;
  const userId = 'ada';

  beforeAll(async () => {
    redis = await startRedis();
    opened = await openTestDataPath('deadlines_redis', [], {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: '10000',
    });
  });
  afterAll(async () => {
    await opened.close();
    await redis.stop();
  });

  const { limit, cost } = { limit: { key: 'k', points: 10, windowMs: 1000, blockMs: 1000 }, cost: 1 };

  it('ends the wait, does not treat Redis as lost, and withdraws write intents', async () => {
    const { store } = opened.path.consistency;
    if (store === null) throw new Error('A service has a store.');
    const database = opened.path.databases.forFeature(featureName('deadlines'));
    redis.pause();
    try {
      await expect(inShortCall(() => store.count(limit, cost))).rejects.toThrow(DeadlineExceeded);
      const [ada, bob] = [userScope(userId), userScope('bob')];
      const question = { scopes: [ada], intent: { scope: ada, feature: 'deadlines', id: 'i1' } };
      await expect(inShortCall(() => store.begin(limit, cost, question))).rejects.toThrow(DeadlineExceeded);
      const write = inShortCall(() => database.write(() => Promise.resolve(), { scopes: [ada, bob] }));
      await expect(write).rejects.toThrow(DeadlineExceeded);
      expect(store.isUp).toBe(true);
    } finally {
      redis.resume();
    }
    // Redis answers commands in order, so the commands above have been executed by now.
    await expect(store.count(limit, cost)).resolves.toMatchObject({ blockedMs: 0 });
    for (const user of [userId, 'bob'])
      expect(await redis.command('HKEYS', `{${user}}:notes`)).toEqual(['f']);
  });
});
