import { jest } from '@jest/globals';
import { Client } from 'pg';
import type { Session } from '../support/client.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startReplicatedPostgres, type ReplicatedPostgres } from '../support/replicated-postgres.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { createTask, listTasks, readTask } from './replicas-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);

const commitLock = 77;

/** A COMMIT of a task whose title begins with `slow` waits in the server, after all statements. Each COMMIT tells whether a lease stood. */
const watchCommits = `
  CREATE TABLE public.commits (title text, is_leased boolean);
  CREATE FUNCTION public.watch_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.title LIKE 'slow%' THEN PERFORM pg_advisory_xact_lock(${commitLock}); END IF;
    INSERT INTO public.commits SELECT NEW.title,
      EXISTS (SELECT FROM platform.leases WHERE expires_at > clock_timestamp());
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER watch_commit AFTER UPDATE ON tasks.tasks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.watch_commit()`;

let postgres: ReplicatedPostgres;
let redis: TestRedis;
let proxy: TcpProxy;
let fleet: Fleet;
let url: string;
let session: Session;
/** A session of the test, which holds locks. */
let holder: Client;

/** The first process loses Redis, the second one keeps it and has a replica. */
const [writer, reader] = [() => fleet.member(0), () => fleet.member(1)];
const signal = (name: NodeJS.Signals) => process.kill(writer().api.pid, name);
const isTrusted = async () => (await reader().metric('consistency_trusted')) === 1;
const untilTrusted = () => waitFor(isTrusted, { timeoutMs: 15_000, what: 'trust' });
const isLeased = async () =>
  (await runSql(url, 'SELECT FROM platform.leases WHERE expires_at > clock_timestamp()')).length > 0;
const isWaiting = (query: string) =>
  waitFor(
    async () => {
      const sql = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
      return (await runSql(url, sql, [query])).length > 0;
    },
    { intervalMs: 20, what: `${query} to wait` },
  );
const commitsOf = async (title: string) =>
  (await runSql(url, 'SELECT is_leased FROM public.commits WHERE title = $1', [title])).map(
    (row) => row['is_leased'],
  );
const rename = (id: string, title: string) =>
  writer().request('PATCH', `/v1/tasks/${id}`, { token: session.accessToken, body: { title } });
const titlesAt = async (id: string) => {
  const one = await readTask(reader(), session, id);
  const list = await listTasks(reader(), session);
  return [one.body.title, list.body.data.find((task) => task.id === id)?.title];
};

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startReplicatedPostgres({ replicas: 1 }), startRedis()]);
  proxy = await startTcpProxy(redis.port);
  url = await createDatabase(postgres.primary.adminUrl, 'stopped');
  const throughProxy = redis.url.replace(String(redis.port), String(proxy.port));
  const [replica] = postgres.replicas;
  const replicaUrl = replica?.url(new URL(url).pathname.slice(1)) ?? '';
  fleet = await startFleet({
    size: 2,
    databaseUrl: url,
    env: (n) => ({
      REDIS_URL: n === 0 ? throughProxy : redis.url,
      REDIS_TIMEOUT_MS: '2000',
      ...(n === 1 && { DATABASE_REPLICA_URLS: replicaUrl }),
    }),
  });
  await runSql(url, watchCommits);
  session = await reader().registerAndLogin();
  holder = new Client({ connectionString: url });
  await holder.connect();
});
afterAll(async () => {
  await holder.end();
  await fleet.stop();
  await proxy.stop();
  await redis.stop();
  await postgres.stop();
});

describe('a process that is stopped while it writes without Redis', () => {
  let id: string;

  beforeEach(async () => {
    proxy.restore();
    await untilTrusted();
    id = (await createTask(reader(), session, 'old')).body.id;
    proxy.cut();
    await waitFor(async () => (await writer().metric('consistency_lease_held')) === 1);
    await waitFor(async () => !(await isTrusted()), { timeoutMs: 5000, what: 'the lease to be noticed' });
  });

  it('keeps all others from their caches until its COMMIT has landed, however late that is', async () => {
    await holder.query(`SELECT pg_advisory_lock(${commitLock})`);
    const renamed = rename(id, 'slow');
    await isWaiting('COMMIT');
    signal('SIGSTOP');
    try {
      await waitFor(async () => !(await isLeased()), { what: 'the end of the lease' });
      for (let n = 0; n < 20; n++) {
        expect(await titlesAt(id)).toEqual(['old', 'old']);
        expect(await isTrusted()).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await holder.query(`SELECT pg_advisory_unlock(${commitLock})`);
      await waitFor(async () => (await titlesAt(id))[0] === 'slow', { intervalMs: 5, what: 'the write' });
      for (let n = 0; n < 100; n++) expect(await titlesAt(id)).toEqual(['slow', 'slow']);
      await untilTrusted();
      expect(await titlesAt(id)).toEqual(['slow', 'slow']);
    } finally {
      signal('SIGCONT');
    }
    expect([200, 503]).toContain((await renamed).status);
    expect(await titlesAt(id)).toEqual(['slow', 'slow']);
  });

  it('commits nothing under a lease that has ended meanwhile, and writes again', async () => {
    await holder.query('BEGIN');
    await holder.query('SELECT FROM tasks.tasks WHERE id = $1 FOR UPDATE', [id]);
    const renamed = rename(id, 'again');
    await isWaiting('%tasks%');
    signal('SIGSTOP');
    try {
      await waitFor(async () => !(await isLeased()), { what: 'the end of the lease' });
      await untilTrusted();
      expect(await titlesAt(id)).toEqual(['old', 'old']);
      await holder.query('COMMIT');
    } finally {
      signal('SIGCONT');
    }
    const { status } = await renamed;
    const commits = await commitsOf('again');
    expect([status, commits]).toEqual([200, [true]]);
    expect(await titlesAt(id)).toEqual(['again', 'again']);
  });

  it('goes by the clock of the database, not by its own, to tell that its lease has ended', async () => {
    await holder.query('BEGIN');
    await holder.query('SELECT FROM tasks.tasks WHERE id = $1 FOR UPDATE', [id]);
    const renamed = rename(id, 'by its clock');
    await isWaiting('%tasks%');
    await holder.query("UPDATE platform.leases SET expires_at = clock_timestamp() - interval '1 minute'");
    await holder.query('COMMIT');
    const { status } = await renamed;
    const commits = await commitsOf('by its clock');
    expect([200, 503]).toContain(status);
    expect(commits).toEqual(status === 200 ? [true] : []);
  });
});
