import { userScope } from '../../libs/platform/context/scope.js';
import { authSweeps } from '../../libs/auth/auth.sweeps.js';
import { SessionsExport } from '../../libs/auth/sessions/sessions.export.js';
import { RefreshTokensService } from '../../libs/auth/tokens/refresh-tokens.service.js';
import { newSecretToken } from '../../libs/auth/tokens/secret-token.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { outboxSweep } from '../../libs/platform/sweeper/sweep-task.js';
import { Sweeper } from '../../libs/platform/sweeper/sweeper.js';
import { openAuthFixture, type AuthFixture } from './auth-fixture.js';

let auth: AuthFixture;
let tokens: RefreshTokensService;

beforeAll(async () => {
  auth = await openAuthFixture();
  tokens = new RefreshTokensService(auth.database, auth.config);
});
afterAll(() => auth.close());

const beginSession = async () => auth.logIn(await auth.addAccount());
const isActive = async ({ sessionId, userId }: { sessionId: string; userId: string }) =>
  (await auth.sessions.findEnd(sessionId, userId)).value !== null;

/** Makes the token look as if it had been rotated so many seconds ago. */
const age = (hash: Buffer, seconds: number) =>
  auth.dataSource.query(
    'UPDATE auth.used_refresh_tokens SET used_at = used_at - make_interval(secs => $2) WHERE hash = $1',
    [hash, seconds],
  );

describe('the rotation of a refresh token', () => {
  it('lets one of 50 simultaneous requests through and revokes nothing', async () => {
    const session = await beginSession();
    const exchanges = Array.from({ length: 50 }, () =>
      tokens.exchange(session.userId, session.refreshToken.hash, newSecretToken().hash, '192.0.2.1'),
    );
    const outcomes = (await Promise.all(exchanges)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'superseded')).toHaveLength(49);
    await expect(isActive(session)).resolves.toBe(true);
  });

  it('treats the previous token as a race until 10 s after its rotation', async () => {
    const session = await beginSession();
    const next = newSecretToken();
    await tokens.exchange(session.userId, session.refreshToken.hash, next.hash, '192.0.2.1');
    await age(session.refreshToken.hash, 9);
    await expect(tokens.refuse(session.refreshToken.hash)).resolves.toEqual({ outcome: 'superseded' });
    await expect(tokens.findSession(next.hash)).resolves.toMatchObject({ userId: session.userId });
  });

  it('treats it as theft 11 s after its rotation, and revokes the whole family', async () => {
    const session = await beginSession();
    const next = newSecretToken();
    await tokens.exchange(session.userId, session.refreshToken.hash, next.hash, '192.0.2.1');
    await age(session.refreshToken.hash, 11);
    await expect(tokens.refuse(session.refreshToken.hash)).resolves.toMatchObject({ outcome: 'reused' });
    await expect(isActive(session)).resolves.toBe(false);
    await expect(tokens.findSession(next.hash)).resolves.toBeNull();
    await expect(
      tokens.exchange(session.userId, next.hash, newSecretToken().hash, '192.0.2.1'),
    ).resolves.toEqual({
      outcome: 'unknown',
    });
  });

  it('treats every older token of the family as theft', async () => {
    const session = await beginSession();
    let current = session.refreshToken;
    for (let rotation = 0; rotation < 5; rotation++) {
      const next = newSecretToken();
      await tokens.exchange(session.userId, current.hash, next.hash, '192.0.2.1');
      current = next;
    }
    await age(session.refreshToken.hash, 11);
    await expect(tokens.refuse(session.refreshToken.hash)).resolves.toMatchObject({ outcome: 'reused' });
    await expect(isActive(session)).resolves.toBe(false);
  });

  it('ends only the family of the stolen token', async () => {
    const account = await auth.addAccount();
    const [stolen, other] = [await auth.logIn(account), await auth.logIn(account)];
    await tokens.exchange(stolen.userId, stolen.refreshToken.hash, newSecretToken().hash, '192.0.2.1');
    await age(stolen.refreshToken.hash, 11);
    await tokens.refuse(stolen.refreshToken.hash);
    await expect(isActive(other)).resolves.toBe(true);
  });

  it('ignores a token that was never issued', async () => {
    await expect(tokens.refuse(newSecretToken().hash)).resolves.toEqual({ outcome: 'unknown' });
  });

  it('extends the idle expiry but not the absolute expiry', async () => {
    const session = await beginSession();
    const ends = async () => {
      const [row] = await auth.dataSource.query<{ idle: Date; absolute: Date }[]>(
        'SELECT idle_expires_at AS idle, expires_at AS absolute FROM auth.sessions WHERE id = $1',
        [session.sessionId],
      );
      return { idle: row?.idle.getTime() ?? 0, absolute: row?.absolute.getTime() ?? 0 };
    };
    await auth.dataSource.query(
      "UPDATE auth.sessions SET idle_expires_at = idle_expires_at - interval '29 days' WHERE id = $1",
      [session.sessionId],
    );
    const before = await ends();
    await tokens.exchange(session.userId, session.refreshToken.hash, newSecretToken().hash, '192.0.2.1');
    const after = await ends();
    expect(after.absolute).toBe(before.absolute);
    expect(after.idle - before.idle).toBeGreaterThan(28.9 * 86_400_000);
  });

  it.each(['expires_at', 'idle_expires_at'])('ends with the session, by %s', async (end) => {
    const session = await beginSession();
    await auth.dataSource.query(
      `UPDATE auth.sessions SET ${end} = now() - interval '1 second' WHERE id = $1`,
      [session.sessionId],
    );
    await expect(isActive(session)).resolves.toBe(false);
    await expect(
      tokens.exchange(session.userId, session.refreshToken.hash, newSecretToken().hash, '192.0.2.1'),
    ).resolves.toEqual({
      outcome: 'unknown',
    });
  });
});

describe('a session', () => {
  it('does not start with a password that was changed after it was checked', async () => {
    const account = await auth.addAccount();
    await auth.database.write(
      (manager) =>
        auth.accounts.replacePasswordHash(manager, account.id, account.passwordHash, 'another hash'),
      { scopes: [userScope(account.id)] },
    );
    await expect(auth.logIn(account)).rejects.toThrow('refused');
  });

  it('does not outlive a concurrent change of the password', async () => {
    for (let round = 0; round < 20; round++) {
      const account = await auth.addAccount();
      const logins = Array.from({ length: 4 }, () => auth.logIn(account));
      const change = auth.database.write(
        async (manager) => {
          await auth.accounts.replacePasswordHash(manager, account.id, account.passwordHash, 'another hash');
          await auth.sessions.revoke(manager, account.id);
        },
        { scopes: [userScope(account.id)] },
      );
      await Promise.allSettled([...logins, change]);
      await expect(auth.sessions.list(account.id, { limit: 10, afterId: null })).resolves.toEqual([]);
    }
  });

  it('belongs to one user', async () => {
    const [mine, theirs] = [await beginSession(), await beginSession()];
    await expect(auth.sessions.findEnd(mine.sessionId, theirs.userId)).resolves.toEqual({ value: null });
    await expect(auth.sessions.end(theirs.userId, mine.sessionId)).resolves.toBe(false);
    await expect(isActive(mine)).resolves.toBe(true);
  });

  it('is deleted with its account, which may be deleted twice', async () => {
    const session = await beginSession();
    await tokens.exchange(session.userId, session.refreshToken.hash, newSecretToken().hash, '192.0.2.1');
    await auth.accounts.delete(session.userId);
    await auth.accounts.delete(session.userId);
    await expect(isActive(session)).resolves.toBe(false);
    await expect(tokens.refuse(session.refreshToken.hash)).resolves.toEqual({ outcome: 'unknown' });
  });

  it('is listed page by page, the latest first', async () => {
    const account = await auth.addAccount();
    const ids: string[] = [];
    for (let login = 0; login < 5; login++) ids.unshift((await auth.logIn(account)).sessionId);
    const first = await auth.sessions.list(account.id, { limit: 3, afterId: null });
    const second = await auth.sessions.list(account.id, { limit: 3, afterId: first.at(-1)?.id ?? null });
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
  });
});

describe('the export of sessions', () => {
  it('reads all sessions, each once, in batches', async () => {
    const session = await beginSession();
    await auth.dataSource.query(
      `INSERT INTO auth.sessions (id, user_id, refresh_hash, ip, expires_at, idle_expires_at)
       SELECT gen_random_uuid(), $1, sha256(n::text::bytea), '127.0.0.1', now(), now()
       FROM generate_series(1, 1499) AS n`,
      [session.userId],
    );
    const sizes: number[] = [];
    const ids = new Set<unknown>();
    for await (const batch of new SessionsExport(auth.database).exportOf(session.userId)) {
      sizes.push(batch.length);
      for (const row of batch) ids.add((row as { id: string }).id);
    }
    expect([sizes, ids.size]).toEqual([[500, 500, 500, 0], 1500]);
  });
});

describe('sweeping', () => {
  it('deletes what expired long ago and keeps the rest', async () => {
    const [over, recent] = [await beginSession(), await beginSession()];
    for (const session of [over, recent]) {
      await tokens.exchange(session.userId, session.refreshToken.hash, newSecretToken().hash, '192.0.2.1');
      await auth.sessions.end(session.userId, session.sessionId);
    }
    await auth.dataSource.query(
      "UPDATE auth.sessions SET revoked_at = now() - interval '8 days' WHERE id = $1",
      [over.sessionId],
    );
    await auth.dataSource.query(
      `INSERT INTO auth.outbox (id, topic, payload, failed_at) VALUES ($1, 'x', '{}', now() - interval '31 days')`,
      [uuidv7()],
    );
    const tasks = [...authSweeps, outboxSweep('auth')];
    const sweeper = new Sweeper([{ feature: 'auth', database: auth.database, tasks }], new Metrics());
    await expect(sweeper.sweep()).resolves.toMatchObject({
      'auth.used_refresh_tokens': 1,
      'auth.sessions': 1,
      'auth.mail_tokens': 0,
      'auth.outbox': 1,
    });
  });
});
