import { jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { Cluster, Redis } from 'ioredis';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startRedisSentinel } from '../support/redis-sentinel.js';
import { startRedisTls } from '../support/redis-tls.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Closed at the end of the test; errors appear in its commands. */
function owned<T extends Redis | Cluster>(client: T): T {
  client.on('error', () => undefined);
  stops.push(() => client.disconnect());
  return client;
}

describe('startRedisTls', () => {
  it('serves only clients that trust its authority', async () => {
    const redis = await startRedisTls();
    stops.push(redis.stop);
    expect(await redis.command('PING')).toBe('PONG');
    const trusting = owned(new Redis(redis.url, { tls: { ca: await readFile(redis.caFile) } }));
    expect(await trusting.set('key', 'value')).toBe('OK');
    const stranger = owned(new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null }));
    const refused = new Promise((resolve) => stranger.once('error', resolve));
    await expect(stranger.connect()).rejects.toThrow();
    expect(await refused).toMatchObject({ code: 'SELF_SIGNED_CERT_IN_CHAIN' });
  });
});

describe('startRedisCluster', () => {
  it('spreads the keys over its nodes, and readmits one that was killed', async () => {
    const cluster = await startRedisCluster();
    stops.push(cluster.stop);
    const { hosts, password, nodes } = cluster;
    const client = owned(new Cluster([...hosts], { redisOptions: { password } }));
    const keys = Array.from({ length: 30 }, (_, n) => `key${n}`);
    for (const key of keys) await client.set(key, key);
    const sizes = await Promise.all(nodes.map((node) => node.command('DBSIZE')));
    expect(sizes.filter((size) => Number(size) > 0)).toHaveLength(3);
    await nodes[0]?.kill();
    await nodes[0]?.start();
    expect(await nodes[0]?.command('DBSIZE')).toBe(0);
    await waitFor(() => client.set('key0', 'again'), { what: 'the whole cluster' });
  });
});

describe.each([1, 3])('startRedisSentinel with %d sentinels', (count) => {
  it('know the master, and promote the replica when it dies', async () => {
    const group = await startRedisSentinel({ sentinels: count });
    stops.push(group.stop);
    const { name, sentinels, password, sentinelPassword, nodes } = group;
    const client = owned(
      new Redis({ sentinels: [...sentinels], name, password, sentinelPassword, maxRetriesPerRequest: null }),
    );
    await client.set('key', 'value');
    await waitFor(async () => (await nodes[1].command('GET', 'key')) === 'value');
    await group.failover();
    expect(await group.master()).toBe(nodes[1]);
    expect(await client.get('key')).toBe('value');
    await nodes[1].kill();
    await nodes[1].start();
    expect(await nodes[1].command('GET', 'key')).toBeNull();
  });
});
