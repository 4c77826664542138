import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ownedByTests } from '../support/owned.js';
import { expectProblem } from '../support/problem.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import {
  replicasOf,
  startBehindPath,
  startPlace,
  untilCommitWaits,
  type Place,
} from './primary-loss-fixture.js';
import { listTasks, type Task } from './replicas-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

const owner = ownedByTests();
/** A promotion is to be over by then. */
const env = { HANDLER_TIMEOUT_MS: '50000' };

const create = ({ fleet, session }: Place, title: string, key?: string) =>
  fleet.member(0).request<Task>('POST', '/v1/tasks', {
    token: session.accessToken,
    body: { title },
    timeoutMs: 60_000,
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });

async function promoteOne(place: Place): Promise<void> {
  const [one, other] = replicasOf(place);
  await one.promote();
  await other.follow(one);
}

const titles = async ({ fleet, session }: Place) =>
  (await listTasks(fleet.member(1), session)).body.data.map(({ title }) => title);

describe('a write whose COMMIT had no answer', () => {
  it('is found by its key on the new primary, where it took effect', async () => {
    const { place, path } = await startBehindPath(owner, env);
    for (const replica of replicasOf(place)) replica.pause();
    const key = randomUUID();
    const waiting = create(place, 'once', key);
    await untilCommitWaits(place);
    // Nobody hears that the replicas confirm it.
    path.freeze();
    for (const replica of replicasOf(place)) replica.resume();
    await waitFor(async () => {
      const rows = await runSql(place.urlOf(replicasOf(place)[0]), 'SELECT FROM tasks.idempotency_keys');
      return rows.length > 0;
    });
    await place.postgres.primary.kill();
    path.cut();
    await promoteOne(place);
    const { status, body } = await waiting;
    expect([status, body.title]).toEqual([201, 'once']);
    expect(await titles(place)).toEqual(['once', 'kept']);
    expect((await create(place, 'once', key)).body).toEqual(body);
  });

  it('is made on the new primary, where no replica had it', async () => {
    const place = await startPlace(owner, { env });
    const replicas = replicasOf(place);
    // They do not even receive it: a replica that is only paused finds it in its socket.
    for (const replica of replicas) await replica.kill();
    const waiting = create(place, 'anew', randomUUID());
    await untilCommitWaits(place);
    await place.postgres.primary.kill();
    for (const replica of replicas) await replica.start();
    await promoteOne(place);
    expect((await waiting).status).toBe(201);
    expect(await titles(place)).toEqual(['anew', 'kept']);
  });

  it('is answered by the server that is still there, where only the connection broke', async () => {
    const { place, path } = await startBehindPath(owner, env);
    for (const replica of replicasOf(place)) replica.pause();
    const waiting = create(place, 'once', randomUUID());
    await untilCommitWaits(place);
    path.cut();
    path.restore();
    for (const replica of replicasOf(place)) replica.resume();
    expect((await waiting).status).toBe(201);
    expect(await titles(place)).toEqual(['once', 'kept']);
  });

  it.each(['with', 'without'])('is told as such when the time of the call is over, %s a key', async (how) => {
    const place = await startPlace(owner, { env: { HANDLER_TIMEOUT_MS: '4000' } });
    for (const replica of replicasOf(place)) replica.pause();
    const waiting = create(place, 'who knows', how === 'with' ? randomUUID() : undefined);
    await untilCommitWaits(place);
    if (how === 'with') await place.postgres.primary.kill();
    expect(expectProblem(await waiting, 503).code).toBe('outcome_unknown');
  });

  it('is told as such where no connection is free to look it up, and only then', async () => {
    const place = await startPlace(owner, { env: { DATABASE_POOL_SIZE: '2', HANDLER_TIMEOUT_MS: '10000' } });
    const bulk = (title: string) =>
      place.fleet.member(0).request('POST', '/v1/tasks/bulk', {
        token: place.session.accessToken,
        body: { operations: [{ op: 'create', data: { title } }] },
        headers: { 'idempotency-key': randomUUID() },
      });
    // The one connection for writes may be another's, such as that of the event relay: then the call was not sent.
    for (let n = 1, isUnknown = false; !isUnknown; n++) {
      for (const replica of replicasOf(place)) replica.pause();
      const { code } = expectProblem(await bulk(`task ${n}`), 503);
      for (const replica of replicasOf(place)) replica.resume();
      isUnknown = code === 'outcome_unknown';
      expect(isUnknown || code === 'database_unavailable').toBe(true);
      await waitFor(async () => (await create(place, `after ${n}`)).status === 201, { timeoutMs: 30_000 });
      if (isUnknown) await waitFor(async () => (await titles(place)).includes(`task ${n}`));
      else expect(await titles(place)).not.toContain(`task ${n}`);
      expect(n).toBeLessThan(5);
    }
  });

  it('is told to its caller without a key', async () => {
    const place = await startPlace(owner, { env });
    for (const replica of replicasOf(place)) replica.pause();
    const waiting = create(place, 'who knows');
    await untilCommitWaits(place);
    await place.postgres.primary.kill();
    expect(expectProblem(await waiting, 503).code).toBe('outcome_unknown');
  });
});
