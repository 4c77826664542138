import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { RedisConsistencyStore } from '../../libs/platform/consistency/redis-consistency-store.js';
import { sharedScope } from '../../libs/platform/context/scope.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { justPast } from '../../libs/platform/positions/position.js';
import { DatabaseUnavailable } from '../../libs/platform/postgres/database-unavailable.js';
import { RedisConnection } from '../../libs/platform/redis/redis-connection.js';
import { parseRedisUrl } from '../../libs/platform/redis/redis-url.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import {
  startReplicatedPostgres,
  type PostgresNode,
  type ReplicatedPostgres,
} from '../support/replicated-postgres.js';
import { createDatabase, runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { openListsProcess, readList, type ListServices, type ListsProcess } from './shared-lists-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);

let postgres: ReplicatedPostgres;
let redis: TestRedis;
let databaseUrl: string;
let writer: ListsProcess;
let reader: ListsProcess;

function standby(): PostgresNode {
  const [node] = postgres.replicas;
  if (node === undefined) throw new Error('There is a standby.');
  return node;
}

beforeAll(async () => {
  logger.level = 'silent';
  [postgres, redis] = await Promise.all([
    startReplicatedPostgres({ replicas: 1, synchronous: true }),
    startRedis(),
  ]);
  databaseUrl = await createDatabase(postgres.primary.adminUrl, 'lists');
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url };
  [writer, reader] = [await openListsProcess(environment), await openListsProcess(environment)];
});
afterAll(async () => {
  await writer.close();
  await reader.close();
  await redis.stop();
  await postgres.stop();
});

/** A list of two users, read by one and changed by the other while the standby does not answer. */
async function startWrite() {
  const [ada, bob, list, item] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const;
  await writer.as(ada, ({ memberships }) => memberships.create(ada, { id: list, title: 'shared' }));
  await writer.as(ada, ({ memberships }) => memberships.change(ada, list, bob, true));
  await writer.as(ada, ({ items }) => items.add(ada, list, { id: item, title: 'one' }));
  standby().pause();
  const read = async () =>
    (await reader.as(bob, (services) => readList(services, bob, list))).items[0]?.title;
  const writing = writer.as(ada, ({ items }) => items.patch(ada, item, { title: 'two' }));
  // Whoever awaits it gets the error.
  writing.catch(() => undefined);
  await sleep(300);
  return { read, writing };
}

/** Long enough for an unknown last write to be replaced by the primary's position, which is past the commit. */
async function readForTwoSeconds(read: () => Promise<string | undefined>): Promise<void> {
  const since = performance.now();
  while (performance.now() - since < 2000) {
    expect(await read()).toBe('one');
    await sleep(100);
  }
}

describe('a write whose COMMIT waits for a standby, and whose intents Redis has lost', () => {
  afterEach(() => standby().resume());

  it('is seen once it is acknowledged', async () => {
    const { read, writing } = await startWrite();
    await redis.command('FLUSHALL');
    await readForTwoSeconds(read);
    standby().resume();
    await writing;
    expect(await read()).toBe('two');
  });

  it('is seen by everyone once it is visible, though its caller was told that the outcome is unknown', async () => {
    const { read, writing } = await startWrite();
    await expect(writing).rejects.toThrow(DatabaseUnavailable);
    // As after their expiry.
    await redis.command('FLUSHALL');
    await readForTwoSeconds(read);
    standby().resume();
    await waitFor(async () => (await read()) === 'two', { timeoutMs: 3000 });
  });
});

describe('a write that begins and waits for a standby while a process that reads is suspended', () => {
  afterEach(() => standby().resume());

  it('is not hidden by what that process caches, though it has heard of a later position meanwhile', async () => {
    const [ada, list, item] = [randomUUID(), randomUUID(), randomUUID()] as const;
    await writer.as(ada, ({ memberships }) => memberships.create(ada, { id: list, title: 'shared' }));
    await writer.as(ada, ({ items }) => items.add(ada, list, { id: item, title: 'one' }));
    const titleOf = (services: ListServices) =>
      readList(services, ada, list).then(({ items }) => items[0]?.title);
    expect(await reader.as(ada, titleOf)).toBe('one');

    let writing: Promise<unknown> | undefined;
    const onAnswered = async () => {
      // The process hears that something was missed, and relies on the position of the primary then.
      await leaseOfAnother(1500);
      await waitFor(() => !reader.isTrusting(), { what: 'the lease to be noticed' });
      standby().pause();
      writing = writer.as(ada, ({ items }) => items.patch(ada, item, { title: 'two' }));
      writing.catch(() => undefined);
      await waitFor(() => reader.isTrusting(), { what: 'the end of the lease' });
    };
    const scopes = [sharedScope('list', list)];
    expect(await reader.as(ada, titleOf, {}, { scopes, onAnswered })).toBe('one');
    standby().resume();
    await writing;
    expect(await reader.as(ada, titleOf)).toBe('two');
  });
});

async function leaseOfAnother(ms: number): Promise<void> {
  await runSql(
    databaseUrl,
    `INSERT INTO platform.leases (holder, expires_at)
     VALUES (gen_random_uuid(), clock_timestamp() + make_interval(secs => $1))`,
    [ms / 1000],
  );
}

describe('the position of a write', () => {
  const position = `0123456789abcdef0000000100000000000000ff`;

  it.each([
    [
      'is just past its own where its intent was lost: others may have cached what they read at its own',
      true,
    ],
    ['is its own where its intent stood', false],
  ])('%s', async (_, isLost) => {
    const address = parseRedisUrl(redis.url);
    if (address === null) throw new Error('No address of Redis.');
    const connection = new RedisConnection({
      ...{ address, name: 'test', metrics: new Metrics() },
      config: parseEnvironment({ NODE_ENV: 'test', REDIS_TIMEOUT_MS: '2000' }, platformVariables),
    });
    const store = new RedisConsistencyStore(connection);
    connection.start();
    await store.untilUp(2000);
    const scope = sharedScope('list', randomUUID());
    const intent = { scope, feature: 'shared_lists', id: randomUUID() };
    await store.announce([intent]);
    if (isLost) {
      await redis.command('FLUSHALL');
      await store.ask([scope]);
      // Only after the time in which a write may be under way unseen.
      await waitFor(async () => (await store.settle(scope, 'shared_lists', position)).kind === 'known');
    }
    await store.finish([intent], position);
    const stored = (await store.ask([scope])).get(scope)?.byFeature.get('shared_lists');
    expect(stored).toEqual({ kind: 'known', position: isLost ? justPast(position) : position });
    connection.close();
  });
});
