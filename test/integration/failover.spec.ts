import { jest } from '@jest/globals';
import type { Session } from '../support/client.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import { expectProblem } from '../support/problem.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import {
  startReplicatedPostgres,
  type PostgresNode,
  type ReplicatedPostgres,
} from '../support/replicated-postgres.js';
import { runApp } from '../support/run.js';
import { createDatabase, runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { createTask, keepCalling, lastReadAt, listTasks, readTask } from './replicas-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

let postgres: ReplicatedPostgres;
let redis: TestRedis;
let fleet: Fleet;
let database: string;
let session: Session;

function nodes(): readonly [PostgresNode, PostgresNode, PostgresNode] {
  const [one, other] = postgres.replicas;
  if (one === undefined || other === undefined) throw new Error('There are two replicas.');
  return [postgres.primary, one, other];
}
const urlOf = (node: PostgresNode) => node.url(database);

beforeAll(async () => {
  [postgres, redis] = await Promise.all([
    startReplicatedPostgres({ replicas: 2, synchronous: true }),
    startRedis(),
  ]);
  const created = new URL(await createDatabase(postgres.primary.adminUrl, 'failover'));
  database = created.pathname.slice(1);
  const account = `${created.username}:${created.password}`;
  // The primary is not listed first: the process must discover it.
  const [primary, one, other] = nodes();
  const hosts = [one, primary, other].map(({ port }) => `127.0.0.1:${port}`).join();
  fleet = await startFleet({
    size: 2,
    databaseUrl: `postgresql://${account}@${hosts}/${database}`,
    env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000' },
  });
  session = await fleet.member(0).registerAndLogin();
});
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
  await postgres.stop();
});

describe('the loss of the primary', () => {
  it('keeps reads working, makes writes wait as configured, and loses nothing after a replica is promoted', async () => {
    const [old, next, other] = nodes();
    const acknowledged: string[] = [];
    const write = async (n: number) => {
      const answer = await createTask(fleet.member(n), session, `task ${n}`);
      if (answer.status === 201) acknowledged.push(answer.body.id);
      return answer;
    };
    for (let n = 0; n < 10; n++) expect((await write(n)).status).toBe(201);
    // A user's write in progress sends that user's reads to the primary.
    const reader = await fleet.member(0).registerAndLogin();
    const kept = (await createTask(fleet.member(0), reader, 'kept')).body.id;
    for (const each of fleet.members) await listTasks(each, reader);

    // A process that did not run for a second on a busy machine must ask the primary again.
    const loose = { mayRefuse: true };
    const reads = keepCalling(4, 200, (n) => readTask(fleet.member(n), reader, kept), loose);
    const lists = keepCalling(2, 200, (n) => listTasks(fleet.member(n), reader), loose);
    await waitFor(() => reads.answered() > 20);
    await old.kill();
    const refused = write(0);
    for (const { api } of fleet.members) expect((await fetch(`${api.opsUrl}/readyz`)).status).toBe(200);
    const before = reads.answered();
    await waitFor(() => reads.answered() > before + 50);

    const answer = await refused;
    // It may have been sent to the server in the moment in which that was lost.
    expect(['database_unavailable', 'outcome_unknown']).toContain(expectProblem(answer, 503).code);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);

    const waiting = write(1);
    await next.promote();
    await other.follow(next);
    expect((await waiting).status).toBe(201);
    for (let n = 0; n < 10; n++) {
      expect((await write(n)).status).toBe(201);
      const [newest] = (await listTasks(fleet.member(n + 1), session)).body.data;
      expect(newest?.id).toBe(acknowledged.at(-1));
    }
    await Promise.all([reads.stop(), lists.stop()]);
    for (const load of [reads, lists]) expect(load.refused()).toBeLessThan(load.answered() / 20 + 10);
    for (const [n, id] of acknowledged.entries())
      expect((await readTask(fleet.member(n), session, id)).status).toBe(200);
    const rows = await runSql(urlOf(next), 'SELECT id FROM tasks.tasks WHERE user_id = $1', [session.userId]);
    expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining(acknowledged));
  });

  it('is over for the old primary when it comes back as a replica, which serves reads again', async () => {
    const [old, next, other] = nodes();
    await old.follow(next);
    const { body } = await createTask(fleet.member(0), session, 'after');
    const since = Date.now();
    await waitFor(
      async () => {
        await Promise.all(Array.from({ length: 8 }, (_, n) => readTask(fleet.member(n), session, body.id)));
        const times = await Promise.all([old, other].map((node) => lastReadAt(urlOf(node))));
        const trusted = await Promise.all(
          fleet.members.map((member) => member.metric('consistency_trusted')),
        );
        expect({ trusted, isRead: times.map((at) => at > since) }).toMatchObject({ isRead: [true, true] });
        return true;
      },
      // While it is not known how a write of the user ended, the primary is read: up to 35 s.
      { timeoutMs: 60_000, what: 'reads on the replicas of now' },
    );
  });

  it('is remembered: an old primary that comes back as a primary gets no writes', async () => {
    const [, current, other] = nodes();
    await current.kill();
    await other.promote();
    // The third still follows the dead primary, so that nobody confirms commits, as an operator says.
    await runSql(other.adminUrl, "ALTER SYSTEM SET synchronous_standby_names = ''");
    await runSql(other.adminUrl, 'SELECT pg_reload_conf()');
    expectProblem(await createTask(fleet.member(0), session, 'not acknowledged'), 503);
    const { code, output } = await runApp('cli', ['database', 'forget-standbys'], {
      DATABASE_URL: urlOf(other),
    });
    expect([code, output]).toEqual([0, expect.stringContaining('without')]);
    await waitFor(async () => (await createTask(fleet.member(0), session, 'new')).status === 201, {
      timeoutMs: 60_000,
      what: 'a write',
    });
    // It does not know that another server has been promoted.
    await current.start();
    for (let n = 0; n < 10; n++) {
      const written = await createTask(fleet.member(n), session, `after ${n}`);
      expect(written.status).toBe(201);
      expect((await readTask(fleet.member(n + 1), session, written.body.id)).status).toBe(200);
    }
    const titles = await runSql(urlOf(current), "SELECT FROM tasks.tasks WHERE title LIKE 'after _'");
    expect(titles).toEqual([]);
  });
});
