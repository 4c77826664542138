import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import type { ApiResponse, Session } from '../support/client.js';
import { startFleet, type Fleet, type FleetMember } from '../support/fleet.js';
import { expectProblem } from '../support/problem.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import {
  startReplicatedPostgres,
  type PostgresNode,
  type ReplicatedPostgres,
} from '../support/replicated-postgres.js';
import { createDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { createTask, keepCalling, lastReadAt, listTasks, readTask } from './replicas-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

let postgres: ReplicatedPostgres;
let redis: TestRedis;
let fleet: Fleet;
let database: string;
let session: Session;
let taskId: string;

const [first, second] = [() => replica(0), () => replica(1)];
function replica(n: number): PostgresNode {
  const node = postgres.replicas[n];
  if (node === undefined) throw new Error('There are two replicas.');
  return node;
}
const urlOf = (node: PostgresNode) => node.url(database);
const replicaReads = (member: FleetMember) => member.metric('db_reads_total', { db_target: 'replica' });
const primaryReads = (member: FleetMember) => member.metric('db_reads_total', { db_target: 'primary' });

/** Sends reads until each of these replicas serves some. */
async function untilServing(...nodes: readonly PostgresNode[]): Promise<void> {
  const since = Date.now();
  await waitFor(
    async () => {
      await Promise.all(Array.from({ length: 8 }, (_, n) => readTask(fleet.member(n), session, taskId)));
      const asked = await Promise.all(nodes.map((node) => lastReadAt(urlOf(node))));
      return asked.every((at) => at > since);
    },
    { timeoutMs: 15_000, what: `reads on ${nodes.map(({ name }) => name).join(' and ')}` },
  );
}

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startReplicatedPostgres({ replicas: 2 }), startRedis()]);
  const url = await createDatabase(postgres.primary.adminUrl, 'replicas');
  database = new URL(url).pathname.slice(1);
  fleet = await startFleet({
    size: 2,
    databaseUrl: url,
    env: {
      REDIS_URL: redis.url,
      // Otherwise Redis would be treated as down on a busy machine.
      REDIS_TIMEOUT_MS: '2000',
      DATABASE_REPLICA_URLS: postgres.replicas.map(urlOf).join(),
    },
  });
  session = await fleet.member(0).registerAndLogin();
  taskId = (await createTask(fleet.member(0), session, 'kept')).body.id;
  await untilServing(first(), second());
});
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
  await postgres.stop();
});

describe('reads', () => {
  it('go to both replicas, and not to the primary', async () => {
    const member = fleet.member(0);
    const [replicas, primary] = [await replicaReads(member), await primaryReads(member)];
    const since = Date.now();
    for (let n = 0; n < 100; n++) expect((await readTask(member, session, taskId)).status).toBe(200);
    expect(await replicaReads(member)).toBeGreaterThanOrEqual(replicas + 100);
    expect(await primaryReads(member)).toBe(primary);
    // Sequential reads too, when both replicas are equally busy.
    for (const node of postgres.replicas) expect(await lastReadAt(urlOf(node))).toBeGreaterThan(since);
  });

  it.each(['with', 'without'])(
    'see what was written through another process, %s a token, while a replica has stopped replaying',
    async (kind) => {
      await first().pauseReplay();
      try {
        for (let n = 0; n < 20; n++) {
          const written = await createTask(fleet.member(n), session, `${kind} ${n}`);
          const token = String(written.headers['consistency-token']);
          expect(token).toMatch(/^[\w.-]+$/);
          const headers = kind === 'with' ? { 'consistency-token': token } : {};
          const options = { token: session.accessToken, headers };
          const path = `/v1/tasks/${written.body.id}`;
          const read = await fleet.member(n + 1).request('GET', path, options);
          expect([read.status, read.body['title']]).toEqual([200, `${kind} ${n}`]);
          const list = await listTasks(fleet.member(n + 1), session);
          expect(list.body.data[0]?.title).toBe(`${kind} ${n}`);
        }
      } finally {
        await first().resumeReplay();
      }
    },
  );

  it('stop using a lagging replica within two seconds, and return to it', async () => {
    await untilServing(first(), second());
    const writer = await fleet.member(0).registerAndLogin();
    await first().pauseReplay();
    const pausedAt = Date.now();
    const writes = keepCalling(1, 201, (n) => createTask(fleet.member(n), writer, 'x'));
    // A user who does not write: the replica has everything that this user may see.
    const reads = keepCalling(4, 200, (n) => readTask(fleet.member(n), session, taskId));
    try {
      await waitFor(() => Date.now() > pausedAt + 3500, { timeoutMs: 5000, what: 'reads while it lags' });
      expect(await lastReadAt(urlOf(first()))).toBeLessThan(pausedAt + 2000);
      expect(await lastReadAt(urlOf(second()))).toBeGreaterThan(pausedAt + 2000);
      await first().resumeReplay();
      const resumedAt = Date.now();
      await waitFor(async () => (await lastReadAt(urlOf(first()))) > resumedAt, { timeoutMs: 3000 });
    } finally {
      await first().resumeReplay();
      await Promise.all([writes.stop(), reads.stop()]);
    }
  });

  it('never fail when a replica is killed or hangs, or both are killed, under load', async () => {
    const writer = await fleet.member(0).registerAndLogin();
    const writes = keepCalling(1, 201, (n) => createTask(fleet.member(n), writer, 'x'));
    const reads = keepCalling(8, 200, (n) => readTask(fleet.member(n), session, taskId));
    const more = async (count: number) => {
      const before = reads.answered();
      await waitFor(() => reads.answered() > before + count, { timeoutMs: 30_000, what: 'more reads' });
    };
    await more(50);
    await first().kill();
    await more(200);
    await second().kill();
    await more(200);
    await Promise.all([first().start(), second().start()]);
    await untilServing(first(), second());
    second().pause();
    try {
      await more(200);
    } finally {
      second().resume();
    }
    await untilServing(first(), second());
    await Promise.all([writes.stop(), reads.stop()]);
  });
});

describe('across processes, while a replica has stopped replaying', () => {
  beforeAll(() => first().pauseReplay());
  afterAll(() => first().resumeReplay());

  const ends: readonly [string, (member: FleetMember, other: Session) => Promise<ApiResponse>][] = [
    ['logout', (member, { accessToken: token }) => member.request('POST', '/v1/auth/logout', { token })],
    [
      'logout-all',
      (member, { accessToken: token }) => member.request('POST', '/v1/auth/logout-all', { token }),
    ],
    [
      "another session's password change",
      async (member, { email, password }) => {
        const { accessToken: token } = await member.login(email, password);
        return member.request('POST', '/v1/auth/password/change', {
          token,
          body: { current_password: password, new_password: `${password} anew` },
        });
      },
    ],
    [
      'its deletion by another session',
      async (member, { email, password, accessToken }) => {
        const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
          sid: string;
        };
        const { accessToken: token } = await member.login(email, password);
        return member.request('DELETE', `/v1/auth/sessions/${claims.sid}`, { token });
      },
    ],
    [
      'the deletion of its account',
      (member, { accessToken: token }) => member.request('DELETE', '/v1/users/me', { token }),
    ],
  ];

  it.each(ends)('the next request refuses a session that was ended by %s', async (_, end) => {
    for (let n = 0; n < 3; n++) {
      const other = await fleet.member(n).registerAndLogin();
      // Both cache that the session is valid.
      for (const each of [...fleet.members, ...fleet.members])
        expect((await listTasks(each, other)).status).toBe(200);
      expect((await end(fleet.member(n), other)).status).toBe(204);
      for (const each of [fleet.member(n + 1), fleet.member(n)])
        expectProblem(await listTasks(each, other), 401);
    }
  });

  it('one of many concurrent refreshes of a token succeeds', async () => {
    const { refreshToken } = await fleet.member(0).registerAndLogin();
    const refresh = (n: number) =>
      fleet.member(n).request<{ access_token: string }>('POST', '/v1/auth/refresh', {
        body: { refresh_token: refreshToken },
      });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => refresh(n)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    const renewed = answers.find(({ status }) => status === 200)?.body.access_token ?? '';
    expect((await listTasks(fleet.member(1), { accessToken: renewed })).status).toBe(200);
  });

  it('a POST with one Idempotency-Key has one effect, which every process replays', async () => {
    const caller = await fleet.member(0).registerAndLogin();
    const key = randomUUID();
    const post = (n: number) =>
      fleet.member(n).request('POST', '/v1/tasks', {
        token: caller.accessToken,
        headers: { 'idempotency-key': key },
        body: { title: 'once' },
      });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => post(n)));
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    const replayed = await post(1);
    expect([replayed.status, replayed.headers['idempotency-replayed']]).toEqual([201, 'true']);
    const list = await listTasks(fleet.member(0), caller);
    expect(list.body.data.map(({ id }) => id)).toEqual([replayed.body['id']]);
    for (const { status, body } of answers) if (status === 201) expect(body).toEqual(replayed.body);
  });
});
