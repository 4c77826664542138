import { jest } from '@jest/globals';
import type { Session } from '../support/client.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import { startHaproxy } from '../support/haproxy.js';
import { ownedByTests } from '../support/owned.js';
import { startPgbouncer } from '../support/pgbouncer.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import {
  startReplicatedPostgres,
  type PostgresNode,
  type ReplicatedPostgres,
} from '../support/replicated-postgres.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { createTask, keepCalling, lastReadAt, listTasks, readTask } from './replicas-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

let postgres: ReplicatedPostgres;
let redis: TestRedis;
let database: string;

const { owned } = ownedByTests();

function replicas(): readonly [PostgresNode, PostgresNode] {
  const [one, other] = postgres.replicas;
  if (one === undefined || other === undefined) throw new Error('There are two replicas.');
  return [one, other];
}
const urlOf = (node: PostgresNode) => node.url(database);
/** The same database through another port. */
const through = (port: number) => Object.assign(new URL(urlOf(postgres.primary)), { port }).href;
const account = () => {
  const { username: user, password } = new URL(postgres.primary.adminUrl);
  return { user, password };
};

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startReplicatedPostgres({ replicas: 2 }), startRedis()]);
  database = new URL(await createDatabase(postgres.primary.adminUrl, 'poolers')).pathname.slice(1);
  // Creates the schema for the processes that cannot migrate.
  const migrating = await startFleet({ size: 1, databaseUrl: urlOf(postgres.primary) });
  await migrating.stop();
});
afterAll(async () => {
  await redis.stop();
  await postgres.stop();
});

const start = (databaseUrl: string, env: Readonly<Record<string, string>>, size = 2) =>
  owned(
    startFleet({
      size,
      databaseUrl,
      env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000', MIGRATE_ON_START: 'false', ...env },
    }),
  );

/** What one process writes, the other one returns at once; also with many concurrent writes. */
async function expectConsistent(fleet: Fleet, session: Session): Promise<void> {
  const round = async (n: number) => {
    const written = await createTask(fleet.member(n), session, `task ${n}`);
    expect([written.status, written.text]).toEqual([201, expect.any(String)]);
    const { id } = written.body;
    expect((await readTask(fleet.member(n + 1), session, id)).body.title).toBe(`task ${n}`);
    const patched = await fleet.member(n + 1).request('PATCH', `/v1/tasks/${id}`, {
      token: session.accessToken,
      body: { title: `patched ${n}` },
    });
    expect(patched.status).toBe(200);
    expect((await readTask(fleet.member(n), session, id)).body.title).toBe(`patched ${n}`);
    const { body } = await listTasks(fleet.member(n), session);
    expect(body.data.find((task) => task.id === id)?.title).toBe(`patched ${n}`);
  };
  for (let n = 0; n < 10; n++) await round(n);
  await Promise.all(Array.from({ length: 10 }, (_, n) => round(n)));
}

async function untilReadOn(fleet: Fleet, session: Session, nodes: readonly PostgresNode[]): Promise<void> {
  const { body } = await createTask(fleet.member(0), session, 'kept');
  const since = Date.now();
  const isRead = async () => {
    await Promise.all(Array.from({ length: 12 }, (_, n) => readTask(fleet.member(n), session, body.id)));
    const times = await Promise.all(nodes.map((node) => lastReadAt(urlOf(node))));
    return times.every((at) => at > since);
  };
  // Longer than an idle connection stays: reads that share one would else stay on the server that it leads to.
  await waitFor(isRead, { timeoutMs: 30_000, intervalMs: 1500, what: 'reads on each of the replicas' });
}

describe('HAProxy as the single address of both replicas', () => {
  it('spreads reads over both, returns nothing stale while one has stopped replaying, and loses no read with a server', async () => {
    const [one, other] = replicas();
    const haproxy = await owned(startHaproxy({ servers: [one.port, other.port] }));
    const fleet = await start(urlOf(postgres.primary), {
      DATABASE_REPLICA_URLS: through(haproxy.port),
      DATABASE_IDLE_TIMEOUT_MS: '1000',
    });
    const session = await fleet.member(0).registerAndLogin();
    await untilReadOn(fleet, session, [one, other]);
    await one.pauseReplay();
    try {
      await expectConsistent(fleet, session);
    } finally {
      await one.resumeReplay();
    }
    const { body } = await createTask(fleet.member(0), session, 'kept');
    const reads = keepCalling(6, 200, (n) => readTask(fleet.member(n), session, body.id));
    await waitFor(() => reads.answered() > 50);
    await other.kill();
    const before = reads.answered();
    await waitFor(() => reads.answered() > before + 200, { timeoutMs: 20_000, what: 'more reads' });
    await reads.stop();
    await other.start();
    await untilReadOn(fleet, session, [one, other]);
  });
});

describe('PgBouncer in transaction mode', () => {
  it('in front of the primary needs only few connections', async () => {
    const target = { port: postgres.primary.port, ...account() };
    const bouncer = await owned(startPgbouncer({ target, poolSize: 3 }));
    const fleet = await start(bouncer.url(database), { DATABASE_POOLER: 'true' });
    const session = await fleet.member(0).registerAndLogin();
    await expectConsistent(fleet, session);
  });

  it('in front of a replica too returns nothing stale', async () => {
    const [one] = replicas();
    const [toPrimary, toReplica] = await Promise.all(
      [postgres.primary, one].map(({ port }) =>
        owned(startPgbouncer({ target: { port, ...account() }, poolSize: 3 })),
      ),
    );
    const fleet = await start(toPrimary?.url(database) ?? '', {
      DATABASE_POOLER: 'true',
      DATABASE_REPLICA_URLS: toReplica?.url(database) ?? '',
    });
    const session = await fleet.member(0).registerAndLogin();
    const { body } = await createTask(fleet.member(0), session, 'kept');
    const replicaReads = async () => {
      const counts = fleet.members.map((each) => each.metric('db_reads_total', { db_target: 'replica' }));
      return (await Promise.all(counts)).reduce((sum, count) => sum + count);
    };
    const before = await replicaReads();
    await waitFor(
      async () => {
        await readTask(fleet.member(1), session, body.id);
        return (await replicaReads()) >= before + 10;
      },
      { timeoutMs: 60_000 },
    );
    await one.pauseReplay();
    try {
      await expectConsistent(fleet, session);
    } finally {
      await one.resumeReplay();
    }
    await expectConsistent(fleet, session);
  });
});

describe('a silent loss of all connections, as after a power loss', () => {
  it.each(['primary', 'replica'])('to the %s is over within seconds', async (lost) => {
    const [one] = replicas();
    const [toPrimary, toReplica] = await Promise.all([
      owned(startTcpProxy(postgres.primary.port)),
      owned(startTcpProxy(one.port)),
    ]);
    const fleet = await start(through(toPrimary.port), { DATABASE_REPLICA_URLS: through(toReplica.port) }, 1);
    const session = await fleet.member(0).registerAndLogin();
    const { body } = await createTask(fleet.member(0), session, 'kept');
    // Fills the pools with several connections.
    for (let n = 0; n < 5; n++)
      await Promise.all(
        Array.from({ length: 16 }, (_, m) =>
          m % 2 === 0
            ? readTask(fleet.member(m / 2), session, body.id)
            : createTask(fleet.member((m - 1) / 2), session, 'x'),
        ),
      );
    (lost === 'primary' ? toPrimary : toReplica).abandon();
    const lostAt = performance.now();
    // One at a time, so that a pool of dead connections lasts longest.
    let good = 0;
    let last = 0;
    const failures: string[] = [];
    while (good < 20 && performance.now() < lostAt + 60_000) {
      const write = await createTask(fleet.member(0), session, 'x');
      const read = await readTask(fleet.member(0), session, body.id);
      if (write.status === 201 && read.status === 200) good++;
      else {
        good = 0;
        last = performance.now() - lostAt;
        failures.push(`${Math.round(last)} ms: ${write.status} ${read.status}`);
      }
    }
    expect({ good, failures }).toMatchObject({ good: 20 });
    if (lost === 'replica') expect(failures).toEqual([]);
    expect(last).toBeLessThan(10_000);
  });
});
