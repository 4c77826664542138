import { jest } from '@jest/globals';
import { Client } from 'pg';
import { startFleet, type Fleet, type FleetMember } from '../support/fleet.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startReplicatedPostgres, type ReplicatedPostgres } from '../support/replicated-postgres.js';
import { createDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { createTask, readTask, type User } from './replicas-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

const poolSize = 3;
/** Writes leave some connections to reads. */
const writing = 2;

let postgres: ReplicatedPostgres;
let redis: TestRedis;
let fleet: Fleet;
let api: FleetMember;
let url: string;
let user: User;
let taskId: string;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startReplicatedPostgres({ replicas: 1 }), startRedis()]);
  url = await createDatabase(postgres.primary.adminUrl, 'metrics');
  const database = new URL(url).pathname.slice(1);
  const replicaUrls = postgres.replicas.map((node) => node.url(database)).join();
  fleet = await startFleet({
    size: 1,
    databaseUrl: url,
    env: {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: '2000',
      DATABASE_REPLICA_URLS: replicaUrls,
      DATABASE_POOL_SIZE: String(poolSize),
      DATABASE_CONNECT_TIMEOUT_MS: '1000',
    },
  });
  api = fleet.member(0);
  user = await api.registerAndLogin();
  taskId = (await createTask(api, user, 'kept')).body.id;
});
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
  await postgres.stop();
});

const primary = { db_target: 'primary' };
const replica = { db_target: 'replica' };
const count = (name: string, target: object) =>
  api.metric('db_client_operation_duration_seconds_count', { db_operation_name: name, ...target });

/** The lines of a metric; empty if it has no series. */
async function linesOf(name: string): Promise<string[]> {
  const response = await fetch(`${api.api.opsUrl}/metrics`, { signal: AbortSignal.timeout(5000) });
  return (await response.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
}
const lagSeconds = async (): Promise<number | null> => {
  const [line] = await linesOf('db_replica_lag_seconds');
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ')));
};

describe('the metrics of the database', () => {
  it('count reads by the server that served them, and writes with their commits', async () => {
    await waitFor(async () => {
      await readTask(api, user, taskId);
      return (await count('read', replica)) > 0;
    });
    const [writes, commits] = [await count('write', primary), await count('commit', primary)];
    await createTask(api, user, 'another');
    expect(await count('write', primary)).toBeGreaterThan(writes);
    expect(await count('commit', primary)).toBeGreaterThan(commits);
    expect(await api.metric('db_client_operation_errors_total')).toBe(0);
    expect(await api.metric('cache_operation_duration_seconds_count', { operation: 'get' })).toBeGreaterThan(
      0,
    );
  });

  it('do not count a refusal by a rule as a database error', async () => {
    const answer = await api.request('GET', '/v1/tasks/01a20bd0-a3d5-72dd-85bc-d2ed4f1b866f', {
      token: user.accessToken,
    });
    expect(answer.status).toBe(404);
    expect(await api.metric('db_client_operation_errors_total')).toBe(0);
  });

  it('show which servers are reachable, and how far a replica is behind', async () => {
    expect(await api.metric('db_server_up', primary)).toBe(1);
    expect(await api.metric('db_server_up', replica)).toBe(1);
    const [node] = postgres.replicas;
    await node?.pauseReplay();
    try {
      await waitFor(
        async () => {
          await createTask(api, user, 'behind');
          return ((await lagSeconds()) ?? 0) > 1.5;
        },
        { timeoutMs: 10_000, what: 'the lag' },
      );
    } finally {
      await node?.resumeReplay();
    }
    await waitFor(async () => (await lagSeconds()) === 0, { timeoutMs: 10_000, what: 'no lag' });
  });

  it('show an exhausted pool, who waits for a connection, and how the waits end', async () => {
    const locker = new Client({ connectionString: url });
    await locker.connect();
    try {
      await locker.query('BEGIN; LOCK TABLE tasks.tasks IN ACCESS EXCLUSIVE MODE');
      // Too long to be sent together with others: each takes a connection of its own.
      const description = 'long '.repeat(1000);
      const calls = Array.from({ length: poolSize + 4 }, (_, n) =>
        api.request('POST', '/v1/tasks', {
          token: user.accessToken,
          body: { title: `waits ${n}`, description },
        }),
      );
      await waitFor(
        async () => {
          const used = await api.metric('db_client_connection_count', { ...primary, state: 'used' });
          const pending = await api.metric('db_client_connection_pending_requests', primary);
          return used === writing && pending >= 3;
        },
        { timeoutMs: 5000, what: 'the exhausted pool' },
      );
      expect(await api.metric('db_client_connection_max', primary)).toBe(poolSize);
      await waitFor(
        async () =>
          (await api.metric('db_client_operation_errors_total', { ...primary, error_type: 'unavailable' })) >
          2,
        { timeoutMs: 5000, what: 'errors' },
      );
      await locker.query('ROLLBACK');
      const answers = await Promise.all(calls);
      expect(answers.filter(({ status }) => status === 503).length).toBeGreaterThan(2);
    } finally {
      await locker.end();
    }
    const waits = (le: string) =>
      api.metric('db_client_connection_wait_time_seconds_bucket', { ...primary, le });
    expect((await waits('+Inf')) - (await waits('0.5'))).toBeGreaterThan(2);
  });

  it('show no lag while the primary is down', async () => {
    await postgres.primary.kill();
    await waitFor(async () => (await lagSeconds()) === null, {
      timeoutMs: 10_000,
      what: 'no lag to be known',
    });
    expect(await api.metric('db_server_up', primary)).toBe(0);
    expect(await linesOf('db_server_up')).toEqual([
      expect.stringMatching(/db_target="primary"\} 0$/),
      expect.stringMatching(/db_target="replica"\} 1$/),
    ]);
    // Measured again with one of the next scrapes.
    await waitFor(async () => (await linesOf('outbox_pending')).length === 0, { timeoutMs: 40_000 });
  });
});
