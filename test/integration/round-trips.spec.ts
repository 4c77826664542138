import { randomUUID } from 'node:crypto';
import type { Session } from '../support/client.js';
import { startFleet, type Fleet, type FleetMember } from '../support/fleet.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startCountingProxy, type CountingProxy } from '../support/round-trips.js';
import { sharedDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

let redis: TestRedis;
let toPostgres: CountingProxy;
let toRedis: CountingProxy;
let fleet: Fleet;
let caller: FleetMember;
let user: Session;

beforeAll(async () => {
  redis = await startRedis();
  const url = new URL(await sharedDatabase('round-trips'));
  // The probe asks for the state of the server four times a second, on a connection of its own.
  toPostgres = await startCountingProxy(Number(url.port), (message) => !message.includes('-probe'));
  toRedis = await startCountingProxy(redis.port);
  url.port = String(toPostgres.port);
  url.hostname = '127.0.0.1';
  const redisUrl = redis.url.replace(String(redis.port), String(toRedis.port));
  // A process that has waited in vain for Redis counts on itself for a while, which takes other round trips.
  const env = { DATABASE_URL: url.href, REDIS_URL: redisUrl, REDIS_TIMEOUT_MS: '5000' };
  fleet = await startFleet({ size: 1, env: () => env });
  caller = fleet.member(0);
  user = await caller.registerAndLogin();
  await waitFor(async () => (await caller.metric('consistency_trusted')) === 1);
});
afterAll(async () => {
  await fleet.stop();
  await toPostgres.stop();
  await toRedis.stop();
  await redis.stop();
});

const send = (method: string, path: string, body?: unknown, headers = {}) =>
  caller.request<{ id: string }>(method, path, {
    token: user.accessToken,
    headers,
    ...(body !== undefined && { body }),
  });

/** Of one call. Background work, which comes now and then, may be counted with some of them: the lowest of ten counts. */
async function tripsOf(call: (n: number) => Promise<{ readonly status: number }>) {
  const seen: { postgres: number; redis: number }[] = [];
  for (let n = 0; n < 10; n++) {
    const before = [toPostgres.count(), toRedis.count()] as const;
    expect((await call(n)).status).toBeLessThan(300);
    seen.push({ postgres: toPostgres.count() - before[0], redis: toRedis.count() - before[1] });
  }
  const least = (of: 'postgres' | 'redis') => Math.min(...seen.map((each) => each[of]));
  return { postgres: least('postgres'), redis: least('redis') };
}

const task = { title: 'Count', tags: ['a'], priority: 'high' };

describe('round trips of a call', () => {
  it('are one to each for a task by its id', async () => {
    const { body } = await send('POST', '/v1/tasks', task);
    expect(await tripsOf(() => send('GET', `/v1/tasks/${body.id}`))).toEqual({ postgres: 1, redis: 1 });
  });

  it('are one to Redis alone for a list that this process has', async () => {
    await send('GET', '/v1/tasks?limit=5');
    expect(await tripsOf(() => send('GET', '/v1/tasks?limit=5'))).toEqual({ postgres: 0, redis: 1 });
  });

  it('are one more to each for a list that nobody has asked for', async () => {
    const trips = await tripsOf((n) => send('GET', `/v1/tasks?limit=${20 + n}`));
    expect(trips.postgres).toBe(1);
    // The look-up; the page is stored there without waiting for it.
    expect(trips.redis).toBeLessThanOrEqual(3);
  });

  it('are one to Postgres for a new task, with an idempotency key and without', async () => {
    expect((await tripsOf(() => send('POST', '/v1/tasks', task))).postgres).toBe(1);
    const keyed = () => send('POST', '/v1/tasks', task, { 'idempotency-key': randomUUID() });
    const trips = await tripsOf(keyed);
    // Redis: the beginning with the intent, and the end with the position.
    expect(trips).toEqual({ postgres: 1, redis: 2 });
  });

  it('are one to Postgres and two to Redis for a changed task', async () => {
    const { body } = await send('POST', '/v1/tasks', task);
    const trips = await tripsOf((n) => send('PATCH', `/v1/tasks/${body.id}`, { title: `Changed ${n}` }));
    expect(trips).toEqual({ postgres: 1, redis: 2 });
  });
});
