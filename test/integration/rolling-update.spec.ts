import { randomUUID } from 'node:crypto';
import type { BuildName } from '../consistency/builds/build.js';
import { report } from '../consistency/checker/violations.js';
import { startStores } from '../consistency/cluster/stores.js';
import { faultsOf } from '../consistency/faults/faults.js';
import { run } from '../consistency/runner.js';
import { newRegistration, type ApiResponse, type Session } from '../support/client.js';
import { documentedShapes } from '../support/documented-shape.js';
import { mailsTo } from '../support/mailbox.js';
import { listOperations } from '../support/openapi.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { cachesOf, startSideBySide, whileFrozen, type SideBySide } from './rolling-update-fixture.js';

const directions: readonly (readonly [BuildName, BuildName])[] = [
  ['old', 'new'],
  ['new', 'old'],
];
/** All reads of a user; the export is streamed and never cached. */
const reads = listOperations().filter(
  ({ method, path, isPublic }) => method === 'GET' && !isPublic && !path.endsWith('/export'),
);
const task = { title: 'Once', due_at: '2026-12-24T18:00:00.123Z', tags: ['a'] };

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly next_cursor: string | null;
}

/** What a client sees of an answer. */
const seen = ({ status, text, headers }: ApiResponse<unknown>) => ({
  ...{ status, text },
  ...{ etag: headers['etag'], location: headers['location'] },
});

/** Statistics tell when they were counted. */
const content = ({ text }: ApiResponse<unknown>) =>
  text.replace(/"generated_at":"[^"]+"/, '"generated_at":""');

const replayed = (...answers: readonly ApiResponse<unknown>[]) =>
  answers.map(({ headers }) => headers['idempotency-replayed']);

/** Events that are written now wait until somebody changes `available_at`. */
const holdBack = `
  CREATE FUNCTION auth.hold_back() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.available_at := 'infinity'; RETURN NEW; END $$;
  CREATE TRIGGER hold_back BEFORE INSERT ON auth.outbox FOR EACH ROW EXECUTE FUNCTION auth.hold_back()`;

describe('the build before this one and this one, side by side', () => {
  let both: SideBySide;
  let user: Session;

  beforeAll(async () => {
    both = await startSideBySide();
    user = await both.old.registerAndLogin();
    // Longer where the old build has to be built, or even its packages installed.
  }, 300_000);
  afterAll(() => both.stop());

  const post = (build: BuildName, path: string, key: string, body?: unknown) =>
    both[build].request<{ readonly id: string }>('POST', path, {
      token: user.accessToken,
      headers: { 'idempotency-key': key },
      ...(body !== undefined && { body }),
    });

  it.each(directions)(
    'an effect that the %s build stored under a key is replayed by the %s one',
    async (first, then) => {
      const { body: deleted } = await post(first, '/v1/tasks', randomUUID(), task);
      await both[first].request('DELETE', `/v1/tasks/${deleted.id}`, { token: user.accessToken });
      for (const [path, body] of [
        ['/v1/tasks', task],
        ['/v1/tasks/bulk', { operations: [{ op: 'create', data: task }] }],
        [`/v1/tasks/${deleted.id}/restore`, undefined],
      ] as const) {
        const key = randomUUID();
        const [one, two] = [await post(first, path, key, body), await post(then, path, key, body)];
        expect(one.status).toBeLessThan(300);
        expect(seen(two)).toEqual(seen(one));
        expect(replayed(one, two)).toEqual([undefined, 'true']);
      }
    },
  );

  it.each(directions)(
    'tokens, cursors and positions of the %s build are taken by the %s one',
    async (first, then) => {
      const { accessToken, refreshToken } = await both[first].login(user.email, user.password);
      const written = await both[first].request('POST', '/v1/tasks', { token: accessToken, body: task });
      await both[first].request('POST', '/v1/tasks', { token: accessToken, body: task });
      const headers = { 'consistency-token': written.headers['consistency-token'] };
      const page = await both[first].request<Page>('GET', '/v1/tasks?limit=1', {
        token: accessToken,
        headers,
      });
      const next = `/v1/tasks?limit=1&cursor=${encodeURIComponent(page.body.next_cursor ?? '')}`;
      const second = await both[then].request<Page>('GET', next, { token: accessToken, headers });
      expect(second.status).toBe(200);
      expect(second.body.data.map(({ id }) => id)).not.toEqual(page.body.data.map(({ id }) => id));
      const body = { refresh_token: refreshToken };
      expect((await both[then].request('POST', '/v1/auth/refresh', { body })).status).toBe(200);
    },
  );

  it.each(directions)(
    'an event that the %s build wrote to the outbox is delivered by the %s one',
    async (first, then) => {
      const body = newRegistration();
      const profile =
        'SELECT FROM users.profiles WHERE name = $1 AND id IN (SELECT id FROM auth.accounts WHERE email = $2)';
      const profilesOf = () => runSql(both.databaseUrl, profile, [body.name, body.email]);
      const { status } = await whileHeldBack(() =>
        both[first].request('POST', '/v1/auth/register', { body }),
      );
      expect(status).toBe(201);
      const others = [both.old, both.new, both.uncached].filter((member) => member !== both[then]);
      await whileFrozen(others, async () => {
        await runSql(both.databaseUrl, 'UPDATE auth.outbox SET available_at = now()');
        const left = 'SELECT attempts, failed_at FROM auth.outbox';
        await waitFor(async () => (await runSql(both.databaseUrl, left)).length === 0, {
          what: 'the way to the inboxes',
        });
        await waitFor(
          async () => (await mailsTo(body.email, both.mailDir)).length > 0 && (await profilesOf()).length > 0,
          { what: 'the delivery' },
        );
      });
      expect((await mailsTo(body.email, both.mailDir)).length).toBe(1);
      expect(await profilesOf()).toHaveLength(1);
    },
  );

  /** Runs the action with a trigger that keeps every relay from taking the events it writes. */
  async function whileHeldBack<T>(action: () => Promise<T>): Promise<T> {
    await runSql(both.databaseUrl, holdBack);
    try {
      return await action();
    } finally {
      await runSql(both.databaseUrl, 'DROP FUNCTION auth.hold_back CASCADE');
    }
  }

  it('the new build serves no answer of another shape from a cache that the old one filled', async () => {
    const { body } = await post('old', '/v1/tasks', randomUUID(), task);
    const read = (build: 'old' | 'new' | 'uncached', path: string) =>
      both[build].request('GET', path.replace('{id}', body.id), { token: user.accessToken });
    await waitFor(
      async () => {
        for (const { path } of reads) await read('old', path);
        const { all, hit } = await cachesOf(both.old);
        return all.length > 0 && all.join() === hit.join();
      },
      { timeoutMs: 20_000, what: 'a hit in every cache of the old build' },
    );
    const complaints = await documentedShapes(both.new);
    for (const { method, path } of reads) {
      const [cached, plain] = [await read('new', path), await read('uncached', path)];
      expect([path, complaints(method, path, cached.body)]).toEqual([path, []]);
      expect(content(cached)).toBe(content(plain));
    }
  });

  it('the old build starts again where there are migrations that it does not know', async () => {
    for (const schema of ['auth', 'users', 'tasks'])
      await runSql(
        both.databaseUrl,
        `INSERT INTO ${schema}.migrations (timestamp, name) VALUES (9999999999999, 'Later9999999999999')`,
      );
    const api = await both.startOld();
    expect(api.logs()).not.toContain('"level":"error"');
  });
});

describe('a rolling update under the checker', () => {
  it('breaks no promise while processes are upgraded and rolled back and Redis fails', async () => {
    const { violations, faults, history } = await run({
      old: 'previous',
      // Long enough for an upgrade and a roll back on a slow machine, where each takes ten seconds.
      seconds: 45,
      seed: 3,
      tokens: 'half',
      users: 6,
      rate: 60,
      processes: 3,
      pace: { gapMs: [200, 1000], overlap: 0 },
      startStores: () => startStores({ processes: 3, topology: 'direct', isSynchronous: false }),
      chooseFaults: (cluster) => faultsOf(cluster, ['Redis', 'subscriptions']),
      log: () => undefined,
    });
    expect(violations.map(report)).toEqual([]);
    const names = [...faults.keys()].join();
    expect([names, /upgrade/.test(names), /roll back/.test(names)]).toEqual([names, true, true]);
    const builds = Map.groupBy(history.operations(), ({ build }) => build);
    for (const build of ['old', 'new'] as const) expect(builds.get(build)?.length).toBeGreaterThan(150);
  }, 300_000);
});
