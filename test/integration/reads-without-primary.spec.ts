import { jest } from '@jest/globals';
import { logger } from '../../libs/platform/logging/logger.js';
import { startFleet } from '../support/fleet.js';
import { ownedByTests } from '../support/owned.js';
import { expectProblem } from '../support/problem.js';
import { startRedis } from '../support/redis.js';
import { startReplicatedPostgres } from '../support/replicated-postgres.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { throughPort } from '../consistency/cluster/stores.js';
import {
  replicasOf,
  startBehindPath,
  startPlace,
  untilCommitWaits,
  type Place,
} from './primary-loss-fixture.js';
import { createTask, keepCalling, listTasks, readTask } from './replicas-fixture.js';

logger.level = 'silent';
// Longer where a program has to be installed first.
jest.setTimeout(180_000);

const owner = ownedByTests();
const { owned, atEnd } = owner;

/** A process that got no CPU for a second on a busy machine has no evidence any more. */
const loose = { mayRefuse: true };

/** Reads of one user through all processes, for so many that most come after the first ones found out. */
async function allAnswered({ fleet, session, taskId }: Place, count = 300): Promise<void> {
  const reads = keepCalling(4, 200, (n) => readTask(fleet.member(n), session, taskId));
  await waitFor(() => reads.answered() > count, { timeoutMs: 30_000, what: 'reads' });
  await reads.stop();
}

/** The first ones may be refused: they find out. */
async function untilAnswered({ fleet, session, taskId }: Place): Promise<void> {
  for (const member of fleet.members)
    await waitFor(async () => (await readTask(member, session, taskId)).status === 200, { timeoutMs: 5000 });
}

describe('reads without a primary', () => {
  it.each(['killed', 'silent'])('go on where it is %s, also where Redis is silent then', async (how) => {
    const place = await startPlace(owner, { env: { REDIS_TIMEOUT_MS: '300' } });
    const { postgres, redis, fleet, session } = place;
    if (how === 'killed') await postgres.primary.kill();
    else postgres.primary.pause();
    await untilAnswered(place);
    await allAnswered(place);
    const withoutPrimary = await fleet
      .member(0)
      .metric('db_reads_without_primary_total', { guarantee: 'strict' });
    expect(withoutPrimary).toBeGreaterThan(0);
    // A second after the primary was asked last nobody knows which writes are under way, so nothing is cached.
    await waitFor(async () => (await fleet.member(0).metric('consistency_trusted')) === 0);
    expect((await createTask(fleet.member(1), session, 'refused')).status).toBe(503);

    redis.pause();
    atEnd(() => redis.resume());
    await untilAnswered(place);
    await allAnswered(place);
  });

  it('show everything that was acknowledged, though one replica shows less', async () => {
    const place = await startPlace(owner);
    const { postgres, fleet, session } = place;
    const [behind] = replicasOf(place);
    await behind.pauseReplay();
    const { body } = await createTask(fleet.member(0), session, 'newest');
    postgres.primary.pause();
    // What the paused replica has received may be more than the other one has.
    const refused = await waitFor(async () => {
      const answer = await listTasks(fleet.member(1), session);
      return answer.status === 503 ? answer : null;
    });
    expect(expectProblem(refused, 503).code).toBe('database_unavailable');
    await behind.resumeReplay();
    await untilAnswered(place);
    for (let n = 0; n < 10; n++)
      expect((await listTasks(fleet.member(n), session)).body.data[0]?.id).toBe(body.id);
  });

  it('go on while a replica is promoted, and until another one follows it', async () => {
    const place = await startPlace(owner);
    const { postgres, fleet, session } = place;
    const [next, other] = replicasOf(place);
    await postgres.primary.kill();
    await untilAnswered(place);
    const reads = keepCalling(2, 200, (n) => readTask(fleet.member(n), session, place.taskId), loose);
    await next.promote();
    const promotedAt = reads.answered();
    // Its commits wait for somebody who follows.
    expect((await createTask(fleet.member(0), session, 'refused')).status).toBe(503);
    await waitFor(() => reads.answered() > promotedAt + 100);
    await other.follow(next);
    await waitFor(async () => (await createTask(fleet.member(1), session, 'again')).status === 201, {
      timeoutMs: 30_000,
      what: 'a write',
    });
    await reads.stop();
    expect(reads.refused()).toBeLessThan(reads.answered() / 20);
  });

  it('are refused within a second where a replica is gone, too', async () => {
    const place = await startPlace(owner);
    const { postgres, fleet, session, taskId } = place;
    const [one] = replicasOf(place);
    postgres.primary.pause();
    one.pause();
    await waitFor(async () => (await fleet.member(0).metric('db_server_up')) === 1, {
      timeoutMs: 15_000,
      what: 'the loss to be noticed',
    });
    const startedAt = performance.now();
    const answer = await readTask(fleet.member(0), session, taskId);
    expect(expectProblem(answer, 503).code).toBe('database_unavailable');
    expect(performance.now() - startedAt).toBeLessThan(2500);
    one.resume();
    await untilAnswered(place);
  });

  it('are refused where commits are asynchronous, or answered as well as can be where that is asked for', async () => {
    const strict = await startPlace(owner, { synchronous: false });
    await strict.postgres.primary.kill();
    const refused = await waitFor(async () => {
      const answer = await readTask(strict.fleet.member(0), strict.session, strict.taskId);
      return answer.status === 503 ? answer : null;
    });
    expect(refused.headers['retry-after']).toBe('1');

    const available = await startPlace(owner, {
      synchronous: false,
      env: { READS_WITHOUT_PRIMARY: 'available' },
    });
    await available.postgres.primary.kill();
    await untilAnswered(available);
    await waitFor(async () => {
      const { headers } = await readTask(available.fleet.member(0), available.session, available.taskId);
      return headers['consistency-level'] === 'best-effort';
    });
    const counted = { guarantee: 'available' };
    expect(await available.fleet.member(0).metric('db_reads_without_primary_total', counted)).toBeGreaterThan(
      0,
    );
  });
});

describe('a process that starts without a primary', () => {
  it('answers reads, and writes once there is one', async () => {
    const place = await startPlace(owner);
    const { postgres, session, taskId } = place;
    const [one, other] = replicasOf(place);
    postgres.primary.pause();
    const startedAt = performance.now();
    const late = await owned(
      startFleet({
        size: 1,
        databaseUrl: place.urlOf(postgres.primary),
        env: {
          ...place.settings,
          DATABASE_REPLICA_URLS: postgres.replicas.map(place.urlOf).join(),
          REDIS_URL: place.redis.url,
        },
      }),
    );
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await waitFor(async () => (await readTask(late.member(0), session, taskId)).status === 200);
    expect((await listTasks(late.member(0), session)).body.data.map(({ id }) => id)).toEqual([taskId]);
    await postgres.primary.kill();
    await one.promote();
    await other.follow(one);
    await waitFor(async () => (await late.member(0).registerAndLogin()).accessToken !== '', {
      timeoutMs: 15_000,
      what: 'a write',
    });
  });
});

/** The first process reaches only the old primary, the second one all others and Redis. */
async function partNetwork(promotion: 'manual' | 'automatic') {
  const postgres = await owned(startReplicatedPostgres({ replicas: 2, synchronous: true }));
  const redis = await owned(startRedis());
  const name = new URL(await createDatabase(postgres.primary.adminUrl, 'parted')).pathname.slice(1);
  const nodes = [postgres.primary, ...postgres.replicas];
  const paths = await Promise.all(
    [0, 1].map((_) => Promise.all(nodes.map(({ port }) => owned(startTcpProxy(port))))),
  );
  const toRedis = await owned(startTcpProxy(redis.port));
  const urlOf = (member: number, node: number) =>
    throughPort(nodes[node]?.url(name) ?? '', paths[member]?.[node]?.port ?? 0);
  const fleet = await owned(
    startFleet({
      size: 2,
      databaseUrl: nodes[0]?.url(name) ?? '',
      env: (n) => ({
        DATABASE_URL: urlOf(n, 0),
        DATABASE_REPLICA_URLS: [urlOf(n, 1), urlOf(n, 2)].join(),
        REDIS_URL: n === 0 ? throughPort(redis.url, toRedis.port) : redis.url,
        DATABASE_PROMOTION: promotion,
        HANDLER_TIMEOUT_MS: '5000',
      }),
    }),
  );
  const part = () => {
    for (const path of [paths[0]?.[1], paths[0]?.[2], paths[1]?.[0], toRedis]) path?.freeze();
  };
  return { postgres, fleet, part, session: await fleet.member(1).registerAndLogin() };
}

/** How often the process on the side of the old primary answered without what the other one had acknowledged. */
async function countStale(promotion: 'manual' | 'automatic'): Promise<number> {
  const { postgres, fleet, part, session } = await partNetwork(promotion);
  const [one, other] = postgres.replicas;
  if (one === undefined || other === undefined) throw new Error('There are two replicas.');
  part();
  await one.promote();
  await other.follow(one);
  const acknowledged = await waitFor(
    async () => {
      const { status, body } = await createTask(fleet.member(1), session, 'after');
      return status === 201 ? body : null;
    },
    { timeoutMs: 40_000, what: 'a write on the new primary' },
  );
  let stale = 0;
  for (let n = 0; n < 5; n++) {
    const { status, text } = await listTasks(fleet.member(0), session);
    expect([200, 503]).toContain(status);
    if (status === 200 && !text.includes(acknowledged.id)) stale++;
    // What a write finds there decides its answer: it may not say either that there is no such task.
    const token = session.accessToken;
    const path = `/v1/tasks/${acknowledged.id}`;
    if ((await fleet.member(0).request('DELETE', path, { token })).status === 404) stale++;
  }
  expect((await listTasks(fleet.member(1), session)).text).toContain(acknowledged.id);
  return stale;
}

describe('an old primary that nobody has stopped', () => {
  it('is not read any more once a new one has acknowledged a write, by whoever reaches only the old one', async () => {
    expect(await countStale('automatic')).toBe(0);
  });

  it('would be read if it did not have to prove that it still is one', async () => {
    expect(await countStale('manual')).toBe(10);
  });
});

describe('a path that drops the packets of all connections', () => {
  it('is replaced by new ones, also where the proof of being the primary is under way', async () => {
    const { place, path } = await startBehindPath(owner, { DATABASE_PROMOTION: 'automatic' });
    path.abandon();
    await waitFor(
      async () => (await createTask(place.fleet.member(0), place.session, 'new')).status === 201,
      {
        timeoutMs: 30_000,
        what: 'a write',
      },
    );
    await untilAnswered(place);
  });
});

describe('a primary that was silent while a replica was promoted', () => {
  it('is not written to when it comes back, and nothing that was acknowledged is missing', async () => {
    const place = await startPlace(owner, { env: { HANDLER_TIMEOUT_MS: '15000' } });
    const { postgres, fleet, session } = place;
    const [next, other] = replicasOf(place);
    const acknowledged: string[] = [place.taskId];
    const write = async (n: number) => {
      const { status, body } = await createTask(fleet.member(n), session, `task ${n}`);
      if (status === 201) acknowledged.push(body.id);
      return status;
    };
    for (let n = 0; n < 10; n++) expect(await write(n)).toBe(201);
    postgres.primary.pause();
    await untilAnswered(place);
    const reads = keepCalling(2, 200, (n) => readTask(fleet.member(n), session, place.taskId), loose);
    const waiting = [write(0), write(1)];
    await next.promote();
    await other.follow(next);
    // Those may have been sent to the primary in the moment in which it fell silent.
    for (const status of await Promise.all(waiting)) expect([201, 503]).toContain(status);
    await waitFor(async () => (await write(0)) === 201, { timeoutMs: 30_000, what: 'a write' });
    postgres.primary.resume();
    const before = reads.answered();
    for (let n = 0; n < 10; n++) expect(await write(n)).toBe(201);
    await waitFor(() => reads.answered() > before + 100);
    await reads.stop();
    expect(reads.refused()).toBeLessThan(reads.answered() / 20);
    for (const [n, id] of acknowledged.entries())
      expect((await readTask(fleet.member(n), session, id)).status).toBe(200);
    const late = acknowledged.slice(-10);
    const sql = 'SELECT id FROM tasks.tasks WHERE id = ANY ($1)';
    expect(await runSql(place.urlOf(postgres.primary), sql, [late])).toEqual([]);
    expect(await runSql(place.urlOf(next), sql, [late])).toHaveLength(10);
  });
});

describe('commits that nobody confirms any more', () => {
  it('are not acknowledged when the names of the standbys are emptied, until a replica shows that', async () => {
    const place = await startPlace(owner);
    const { postgres, fleet, session } = place;
    const [one, other] = replicasOf(place);
    for (const node of [one, other]) node.pause();
    const waiting = createTask(fleet.member(0), session, 'let go');
    await untilCommitWaits(place);
    await runSql(postgres.primary.adminUrl, "ALTER SYSTEM SET synchronous_standby_names = ''");
    await runSql(postgres.primary.adminUrl, 'SELECT pg_reload_conf()');
    expect(expectProblem(await waiting, 503).code).toBe('outcome_unknown');
    expect((await createTask(fleet.member(1), session, 'not acknowledged')).status).toBe(503);
    for (const node of [one, other]) node.resume();
    await waitFor(async () => (await createTask(fleet.member(1), session, 'again')).status === 201, {
      timeoutMs: 10_000,
      what: 'a write',
    });
  });
});
