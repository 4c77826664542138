import { jest } from '@jest/globals';
import calculateSlot from 'cluster-key-slot';
import { z } from 'zod';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { CallContext } from '../../libs/platform/context/call-context.js';
import { featureName } from '../../libs/platform/context/feature-name.js';
import { sharedScope, userScope, type Scope } from '../../libs/platform/context/scope.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { RedisConnection } from '../../libs/platform/redis/redis-connection.js';
import { parseRedisUrl } from '../../libs/platform/redis/redis-url.js';
import type { TestRedis } from '../support/redis.js';
import { startRedisCluster, type TestRedisCluster } from '../support/redis-cluster.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { viewOfUser } from '../support/user-view.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);
logger.level = 'silent';

const feature = featureName('things');
const user = userScope('ada');

function keyOf(scope: Scope): string {
  return `{${scope}}:notes`;
}
const slotOf = (scope: Scope): number => calculateSlot(keyOf(scope));
const shared = (id: string | number): Scope => sharedScope('project', String(id));
/** Two of them are in one slot. */
const neighbour = Array.from({ length: 200_000 }, (_, n) => shared(n)).find(
  (scope) => slotOf(scope) === slotOf(shared('a')),
);
const scopes: readonly Scope[] = [user, ...['a', 'b', 'c', 'd', 'e'].map(shared), neighbour ?? shared('a')];

let cluster: TestRedisCluster;
let url: string;
let connection: RedisConnection;
/** Two processes of one service. */
let writer: TestDataPath;
let reader: TestDataPath;

const store = ({ path }: TestDataPath) => {
  const { store: found } = path.consistency;
  if (found === null) throw new Error('There is a store with Redis.');
  return found;
};
const nodeOf = (scope: Scope): TestRedis => {
  const node = cluster.nodes[Math.floor((slotOf(scope) * 3) / 16_384)];
  if (node === undefined) throw new Error('There are three nodes.');
  return node;
};
const scriptsRun = (node: TestRedis) =>
  node
    .command('INFO', 'commandstats')
    .then((stats) => Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(stats))?.[1] ?? 0));
const write = (n: number, changed = scopes, meanwhile = () => Promise.resolve()) =>
  writer.path.databases.forFeature(feature).write(
    async (manager) => {
      await manager.query('UPDATE things SET n = $1', [n]);
      await meanwhile();
    },
    { scopes: changed },
  );

/** Reads by the cache of the second process, as a call of that user. */
async function readCached([first = user, ...others] = scopes): Promise<number> {
  const { caches, databases } = reader.path;
  const call = new CallContext();
  call.view = await viewOfUser(reader.path, 'ada');
  const fill = async () => ({
    value: await databases
      .forFeature(feature)
      .read((manager) => manager.query<{ n: number }[]>('SELECT n FROM things'), {
        scopes: [first, ...others],
      }),
  });
  const found = await call.run(() => cache(caches).through('n', fill, { scopes: [first, ...others] }));
  return found[0]?.n ?? 0;
}
let kept: ReturnType<typeof makeCache> | null = null;
const makeCache = (caches: TestDataPath['path']['caches']) =>
  caches.values(
    { name: 'things', ttlMs: 60_000, dependsOn: [feature] },
    z.array(z.object({ n: z.number() })),
  );
const cache = (caches: TestDataPath['path']['caches']) => (kept ??= makeCache(caches));
const untilTrusted = () =>
  waitFor(() => writer.path.consistency.isTrusted() && reader.path.consistency.isTrusted(), {
    timeoutMs: 20_000,
    what: 'trust',
  });

beforeAll(async () => {
  cluster = await startRedisCluster();
  const hosts = cluster.hosts.map(({ host, port }) => `${host}:${port}`).join(',');
  url = `redis+cluster://:${cluster.password}@${hosts}`;
  const env = { REDIS_URL: url, REDIS_TIMEOUT_MS: '3000' };
  writer = await openTestDataPath('cluster', [], env);
  reader = await openTestDataPath('cluster', [], { ...env, DATABASE_URL: writer.url });
  await writer.dataSource.query('CREATE TABLE things (n integer); INSERT INTO things VALUES (0)');
  const config = parseEnvironment({ NODE_ENV: 'test', DATABASE_URL: writer.url, ...env }, platformVariables);
  const address = parseRedisUrl(url);
  if (address === null) throw new Error('It is the URL of a Redis Cluster.');
  connection = new RedisConnection({ address, config, name: 'test', metrics: new Metrics() });
  connection.start();
  expect(await connection.untilUp(10_000)).toBe(true);
  await untilTrusted();
});
afterAll(async () => {
  connection.close();
  await Promise.all([writer.close(), reader.close()]);
  await cluster.stop();
});

describe('scopes in several slots of a Redis Cluster', () => {
  it('are on all nodes, two of them in one slot', () => {
    expect(new Set(scopes.map(slotOf)).size).toBe(scopes.length - 1);
    expect(new Set(scopes.map((scope) => nodeOf(scope).port)).size).toBe(3);
  });

  it('take one script for each slot, to announce and to finish a write, and to ask', async () => {
    // Each node loads the scripts first.
    await write(1);
    await store(writer).ask(scopes);
    const count = () => Promise.all(cluster.nodes.map(scriptsRun));
    const slotsOn = cluster.nodes.map(
      ({ port }) =>
        new Set(scopes.filter((scope) => nodeOf(scope).port === port).map((scope) => slotOf(scope))).size,
    );
    const before = await count();
    await write(2);
    const written = await count();
    expect(written.map((all, n) => all - (before[n] ?? 0))).toEqual(slotsOn.map((slots) => 2 * slots));
    const lastWrites = await store(writer).ask(scopes);
    expect((await count()).map((all, n) => all - (written[n] ?? 0))).toEqual(slotsOn);

    const positions = scopes.map((scope) => lastWrites.get(scope)?.byFeature.get(feature));
    expect(positions).toEqual(scopes.map(() => ({ kind: 'known', position: expect.any(String) })));
    expect(new Set(positions.map((each) => JSON.stringify(each))).size).toBe(1);
  });

  it('are asked and announced in parallel: a slow node does not delay the others', async () => {
    const slow = nodeOf(user);
    const quick = scopes.filter((scope) => nodeOf(scope) !== slow);
    slow.pause();
    const intents = scopes.map((scope) => ({ scope, feature, id: 'i1' }));
    const announced = store(writer).announce(intents);
    try {
      for (const scope of quick)
        await waitFor(
          async () => (await nodeOf(scope).command('HEXISTS', keyOf(scope), `m${feature}:i1`)) === 1,
          { timeoutMs: 2000, intervalMs: 10, what: `the intent of ${scope}` },
        );
    } finally {
      slow.resume();
    }
    await announced;
    const writing = await store(writer).ask(scopes);
    for (const scope of scopes)
      expect(writing.get(scope)?.byFeature.get(feature)).toEqual({ kind: 'writing' });
    await store(writer).finish(intents, null);
  });

  it('count with the limit in the slot of the user, and give their last writes, in one question', async () => {
    const limit = { key: '{ada}:limit', points: 10, windowMs: 60_000, blockMs: 1000 };
    const intent = { scope: user, feature, id: 'i2' };
    const { limit: counted, lastWrites } = await store(writer).begin(limit, 1, { scopes, intent });
    expect([counted.used, [...lastWrites.keys()].sort()]).toEqual([1, [...scopes].sort()]);
    for (const scope of scopes) expect(lastWrites.get(scope)?.byFeature.get(feature)?.kind).toBe('known');
    expect((await store(reader).ask([user])).get(user)?.byFeature.get(feature)).toEqual({ kind: 'writing' });
    await store(writer).finish([intent], null);
  });

  it('in one command are refused, and Redis does not count as lost', async () => {
    const { epoch } = connection;
    const two = [keyOf(user), keyOf(shared('a'))];
    await expect(connection.run('MGET', () => connection.redis.mget(...two))).rejects.toThrow(
      /CROSSSLOT|slot/,
    );
    expect([connection.isUp, connection.epoch]).toEqual([true, epoch]);
  });

  it('show every acknowledged write, also where a node dies in the middle of one or comes back empty meanwhile', async () => {
    const dying = nodeOf(shared('a'));
    const lost = scopes.filter((scope) => nodeOf(scope) === dying);
    let hasComeBack = false;
    // Once: the write is repeated.
    const comeBack = async () => {
      if (hasComeBack) return;
      hasComeBack = true;
      await dying.kill();
      await dying.start();
      await waitFor(() => store(reader).isUp, { timeoutMs: 20_000, what: 'the whole cluster' });
      // Longer than a process waits after a loss of Redis until it trusts it again.
      for (let n = 0; n < 20; n++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await readCached(lost);
      }
    };
    await untilTrusted();
    for (let n = 10; n < 30; n++) {
      // Later on only of scopes that are lost altogether.
      const some = n < 20 ? scopes : lost;
      await write(n, some, n === 15 ? () => dying.kill() : n === 25 ? comeBack : undefined);
      for (let m = 0; m < 3; m++) expect(await readCached(some)).toBe(n);
      if (n === 18) await dying.start();
      if (n === 20) await untilTrusted();
    }
    expect(store(reader).epoch).toBeGreaterThan(0);
  });
});
