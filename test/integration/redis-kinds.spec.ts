import { jest } from '@jest/globals';
import { startFleet, type Fleet, type FleetMember } from '../support/fleet.js';
import { ownedByTests } from '../support/owned.js';
import { startRedis } from '../support/redis.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startRedisSentinel } from '../support/redis-sentinel.js';
import { startRedisTls } from '../support/redis-tls.js';
import type { Session } from '../support/client.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

const { owned } = ownedByTests(afterAll);

interface List {
  readonly data: readonly { readonly title: string }[];
}

const startPair = (env: Readonly<Record<string, string>>) => owned(startFleet({ size: 2, env }));
const isUp = async (member: FleetMember) => (await member.metric('redis_link_up')) === 1;
const isTrusted = async (member: FleetMember) => (await member.metric('consistency_trusted')) === 1;
const untilUsed = async ({ members }: Fleet, timeoutMs = 10_000) => {
  for (const each of members)
    await waitFor(async () => (await isUp(each)) && (await isTrusted(each)), {
      timeoutMs,
      what: 'the use of Redis',
    });
};
const create = (member: FleetMember, { accessToken: token }: Session, title: string) =>
  member.request('POST', '/v1/tasks', { token, body: { title } });
const newest = (member: FleetMember, { accessToken: token }: Session, query = '') =>
  member.request<List>('GET', `/v1/tasks${query}`, { token });
const redisHits = (member: FleetMember) =>
  member.metric('cache_requests_total', { cache: 'task-lists', layer: 'redis', result: 'hit' });

/** Each process finds what the other one has stored in Redis, and neither returns what a write has outdated. */
async function expectShared(fleet: Fleet): Promise<void> {
  const [one, other] = [fleet.member(0), fleet.member(1)];
  const session = await one.registerAndLogin();
  await create(one, session, 'first');
  let used = 0;
  /** Every call of both processes is counted once. */
  const read = async (member: FleetMember, title: string, query: string) => {
    const { headers, body } = await newest(member, session, query);
    const left = Number(/;r=(\d+)/.exec(headers['ratelimit'] ?? '')?.[1]);
    if (used === 0) used = left;
    expect({ left, title: body.data[0]?.title }).toEqual({ left: used--, title });
  };
  const before = await redisHits(other);
  let limit = 0;
  await waitFor(async () => {
    // A different response each time: a process does not look up in Redis what it has in memory.
    const query = `?limit=${++limit}`;
    await read(one, 'first', query);
    await read(other, 'first', query);
    return (await redisHits(other)) > before;
  });
  await create(other, session, 'second');
  used--;
  await read(one, 'second', '?limit=1');
  await read(other, 'second', '?limit=1');
}

/** The service works without Redis, and the log says why. */
async function expectUnused(fleet: Fleet, words: RegExp): Promise<void> {
  const member = fleet.member(0);
  const session = await member.registerAndLogin();
  expect((await create(member, session, 'x')).status).toBe(201);
  expect(await isUp(member)).toBe(false);
  await waitFor(() => words.test(member.api.logs()));
}

/** Writes through one process and reads through the other until stopped; records how long each call took. */
function keepAsking(fleet: Fleet, session: Session) {
  const takes: { readonly write: number; readonly read: number }[] = [];
  let isOver = false;
  const timed = async <T>(call: () => Promise<T>) => {
    const startedAt = performance.now();
    const answer = await call();
    return { answer, ms: performance.now() - startedAt };
  };
  const run = async () => {
    for (let n = 0; !isOver; n++) {
      const write = await timed(() => create(fleet.member(n), session, `task ${n}`));
      expect([n, write.answer.status, write.answer.text]).toEqual([n, 201, expect.any(String)]);
      const read = await timed(() => newest(fleet.member(n + 1), session));
      expect([read.answer.status, read.answer.body.data[0]?.title]).toEqual([200, `task ${n}`]);
      takes.push({ write: write.ms, read: read.ms });
    }
    return takes;
  };
  const running = run();
  running.catch(() => undefined);
  return {
    takes,
    stop: () => {
      isOver = true;
      return running;
    },
  };
}

describe('one Redis with a password', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let fleet: Fleet;
  beforeAll(async () => {
    redis = await owned(startRedis());
    fleet = await startPair({ REDIS_URL: `${redis.url}/3` });
    await untilUsed(fleet);
  });

  it('is shared, in the database of its URL', async () => {
    await expectShared(fleet);
    expect(String(await redis.command('INFO', 'keyspace'))).toMatch(/^db3:keys=\d+/m);
    expect(String(await redis.command('INFO', 'keyspace'))).not.toContain('db0:');
  });

  it('may lose all its data, and no process returns anything stale', async () => {
    const session = await fleet.member(0).registerAndLogin();
    for (let n = 0; n < 10; n++) {
      // Both cache the previous response.
      await create(fleet.member(0), session, `old ${n}`);
      for (const each of fleet.members) await newest(each, session);
      await create(fleet.member(n), session, `new ${n}`);
      await redis.command('FLUSHALL');
      const titles = [];
      for (const m of [n + 1, n]) titles.push((await newest(fleet.member(m), session)).body.data[0]?.title);
      expect(titles).toEqual([`new ${n}`, `new ${n}`]);
    }
    await expectShared(fleet);
  });

  it('that hangs delays requests by its timeout once, is logged once, and is used again afterwards', async () => {
    const session = await fleet.member(0).registerAndLogin();
    await create(fleet.member(0), session, 'before');
    const member = fleet.member(0);
    const linesBefore = member.api.logs().length;
    const lines = (pattern: RegExp) => member.api.logs().slice(linesBefore).match(pattern)?.length ?? 0;
    const told = () =>
      member.api
        .logs()
        .slice(linesBefore)
        .split('\n')
        .filter((line) => line.includes('"msg":"Redis is'));
    redis.pause();
    try {
      const times: number[] = [];
      const endsAt = performance.now() + 4000;
      while (performance.now() < endsAt) {
        const startedAt = performance.now();
        const { status, body } = await newest(member, session);
        times.push(performance.now() - startedAt);
        expect([status, body.data[0]?.title]).toEqual([200, 'before']);
      }
      // The first few calls wait for the timeout; a busy machine is slow in addition.
      expect(times.length).toBeGreaterThan(20);
      expect(Math.max(...times)).toBeLessThan(250 + 1000);
      expect(times.filter((ms) => ms > 200).length).toBeLessThan(times.length / 4);
      expect(await member.metric('redis_link_up')).toBe(0);
      expect(await member.metric('consistency_trusted')).toBe(0);
      expect(told()).toEqual([expect.stringContaining('"msg":"Redis is lost')]);
      // Warnings and errors.
      expect(lines(/"level":[456]0/g)).toBeLessThanOrEqual(2);
      expect((await create(member, session, 'meanwhile')).status).toBe(201);
      expect((await newest(fleet.member(1), session)).body.data[0]?.title).toBe('meanwhile');
      expect((await fetch(`${member.api.opsUrl}/readyz`)).status).toBe(200);
    } finally {
      redis.resume();
    }
    await untilUsed(fleet);
    expect(lines(/Redis is reached/g)).toBe(1);
    await expectShared(fleet);
  });

  it('may be killed and come back under load: no call fails and no response is stale', async () => {
    const session = await fleet.member(0).registerAndLogin();
    const asking = keepAsking(fleet, session);
    await waitFor(() => asking.takes.length >= 5);
    await redis.kill();
    const before = asking.takes.length;
    await waitFor(() => asking.takes.length >= before + 20, { timeoutMs: 20_000, what: '20 more rounds' });
    await redis.start();
    await untilUsed(fleet);
    const after = asking.takes.length;
    await waitFor(() => asking.takes.length >= after + 5);
    const takes = await asking.stop();
    // Its loss delays writes once by the lease's second, and reads hardly at all.
    expect(Math.max(...takes.map(({ read }) => read))).toBeLessThan(1500);
    expect(takes.filter(({ write }) => write > 900).length).toBeLessThanOrEqual(6);
    await expectShared(fleet);
  });

  it('with another password is not used, which is logged once', async () => {
    const wrong = await owned(
      startFleet({
        size: 1,
        databaseUrl: fleet.member(0).api.databaseUrl,
        env: { REDIS_URL: `redis://:guessed@127.0.0.1:${redis.port}` },
      }),
    );
    const member = wrong.member(0);
    const session = await member.registerAndLogin();
    expect((await create(member, session, 'x')).status).toBe(201);
    expect((await newest(member, session)).body.data[0]?.title).toBe('x');
    expect(await member.metric('redis_link_up')).toBe(0);
    expect(member.api.logs()).not.toContain('guessed');
    await wrong.stop();
  });
});

describe('Redis over TLS', () => {
  it('is used by processes that trust its authority, and not by others', async () => {
    const redis = await owned(startRedisTls());
    const fleet = await startPair({ REDIS_URL: redis.url, REDIS_CA_FILE: redis.caFile });
    await untilUsed(fleet);
    await expectShared(fleet);
    const stranger = await owned(startFleet({ size: 1, env: { REDIS_URL: redis.url } }));
    await expectUnused(stranger, /certificate/);
    await Promise.all([fleet.stop(), stranger.stop()]);
  });

  it('is used only under the name in its certificate, with a password outside the URL', async () => {
    const redis = await owned(startRedisTls('IP:127.0.0.1'));
    const own = { REDIS_CA_FILE: redis.caFile, REDIS_PASSWORD: redis.password };
    const fleet = await startPair({ REDIS_URL: `rediss://127.0.0.1:${redis.port}`, ...own });
    await untilUsed(fleet);
    await expectShared(fleet);
    const misled = await owned(
      startFleet({ size: 1, env: { REDIS_URL: `rediss://localhost:${redis.port}`, ...own } }),
    );
    await expectUnused(misled, /altnames/);
    await Promise.all([fleet.stop(), misled.stop()]);
  });
});

describe('a Redis Cluster', () => {
  it('is shared by clients of all its nodes, and may lose a node under load', async () => {
    const cluster = await owned(startRedisCluster());
    const hosts = cluster.hosts.map(({ host, port }) => `${host}:${port}`).join(',');
    const fleet = await startPair({ REDIS_URL: `redis+cluster://:${cluster.password}@${hosts}` });
    await untilUsed(fleet);
    for (let n = 0; n < 8; n++) await expectShared(fleet);
    const sizes = await Promise.all(cluster.nodes.map((node) => node.command('DBSIZE')));
    expect(sizes.filter((size) => Number(size) > 0)).toHaveLength(3);

    const asking = keepAsking(fleet, await fleet.member(0).registerAndLogin());
    await waitFor(() => asking.takes.length >= 5);
    const [node] = cluster.nodes;
    await node?.kill();
    const before = asking.takes.length;
    await waitFor(() => asking.takes.length >= before + 10, { timeoutMs: 20_000, what: '10 more rounds' });
    await node?.start();
    await untilUsed(fleet, 20_000);
    await asking.stop();
    await fleet.stop();
  });
});

describe('Redis behind Sentinels', () => {
  it('is shared, and during a failover no call fails and no response is stale', async () => {
    const group = await owned(startRedisSentinel());
    const [sentinel] = group.sentinels;
    const place = `${sentinel?.host}:${sentinel?.port}/${group.name}`;
    const fleet = await startPair({
      REDIS_URL: `redis+sentinel://:${group.password}@${place}?sentinelPassword=${group.sentinelPassword}`,
    });
    await untilUsed(fleet);
    await expectShared(fleet);
    const asking = keepAsking(fleet, await fleet.member(0).registerAndLogin());
    await waitFor(() => asking.takes.length >= 5);
    await group.failover();
    await untilUsed(fleet, 20_000);
    const after = asking.takes.length;
    await waitFor(() => asking.takes.length >= after + 5);
    await asking.stop();
    await expectShared(fleet);
    const [, promoted] = group.nodes;
    expect(Number(await promoted.command('DBSIZE'))).toBeGreaterThan(0);
    await fleet.stop();
  });
});
