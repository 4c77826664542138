import { randomUUID } from 'node:crypto';
import { client, type Client, type Session } from '../support/client.js';
import { waitForToken } from '../support/mailbox.js';
import { expectProblem } from '../support/problem.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

let api: Client;
let user: Session;

beforeAll(() => {
  api = client();
});
beforeEach(async () => {
  user = await api.registerAndLogin({ name: 'Ada Lovelace', timezone: 'Europe/Berlin' });
});
afterAll(() => api.close());

const me = (method: string, options: Parameters<Client['request']>[2] = {}) =>
  api.request(method, '/v1/users/me', { token: user.accessToken, ...options });
const patch = (body: unknown, headers = {}) => me('PATCH', { body, headers });

describe('the profile', () => {
  it('shows the data of the registration, with the defaults of a new user', async () => {
    const { status, body, headers } = await me('GET');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        id: user.userId,
        email: user.email,
        email_verified: false,
        name: 'Ada Lovelace',
        timezone: 'Europe/Berlin',
        locale: 'en',
        role: 'user',
        tier: 'free',
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
        version: 1,
      },
    });
    expect(headers['etag']).toMatch(/^"[^"]+"$/);
  });

  it('answers 304 to a client that has the current version, but not after the e-mail was verified', async () => {
    const etag = (await me('GET')).headers['etag'];
    const unchanged = await me('GET', { headers: { 'if-none-match': etag } });
    expect([unchanged.status, unchanged.text, unchanged.headers['etag']]).toEqual([304, '', etag]);
    const token = await waitForToken(user.email);
    expect((await api.request('POST', '/v1/auth/verify-email', { body: { token } })).status).toBe(204);
    const verified = await me('GET', { headers: { 'if-none-match': etag } });
    expect([verified.status, verified.body['email_verified']]).toEqual([200, true]);
  });

  it('changes by merge patch, and null restores a default', async () => {
    const changed = await patch({ name: ' Countess ', timezone: 'Asia/Tokyo', locale: 'pt-br' });
    expect(changed.body).toMatchObject({
      name: 'Countess',
      timezone: 'Asia/Tokyo',
      locale: 'pt-BR',
      version: 2,
    });
    const restored = await me('PATCH', {
      raw: '{"timezone":null,"locale":null}',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(restored.body).toMatchObject({ name: 'Countess', timezone: 'UTC', locale: 'en', version: 3 });
  });

  it('keeps its version if nothing changes', async () => {
    expect((await patch({ name: 'Ada Lovelace' })).body['version']).toBe(1);
  });

  it('refuses changes of read-only fields', async () => {
    for (const field of ['email', 'email_verified', 'role', 'tier', 'id', 'version']) {
      const problem = expectProblem(await patch({ [field]: 'admin' }), 422, 'validation_failed');
      expect(problem.errors).toEqual([
        expect.objectContaining({ pointer: `/${field}`, code: 'unknown_field' }),
      ]);
    }
  });

  it('lets one of fifty patches of the same version through', async () => {
    const etag = (await me('GET')).headers['etag'];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => patch({ name: `Ada ${n}` }, { 'if-match': etag })),
    );
    const statuses = answers.map(({ status }) => status);
    expect([statuses.filter((s) => s === 200).length, statuses.filter((s) => s === 412).length]).toEqual([
      1, 49,
    ]);
    const stale = answers.find(({ status }) => status === 412);
    expect(stale?.headers['etag']).toBe((await me('GET')).headers['etag']);
  });

  it('is made when it is first read, if a crash came between registration and it', async () => {
    await runSql(databaseUrl(), 'DELETE FROM users.profiles WHERE id = $1', [user.userId]);
    expect((await me('GET')).body).toMatchObject({
      id: user.userId,
      name: 'Ada Lovelace',
      timezone: 'Europe/Berlin',
    });
    await runSql(databaseUrl(), 'DELETE FROM users.profiles WHERE id = $1', [user.userId]);
    expect((await patch({ name: 'Countess' })).body).toMatchObject({
      name: 'Countess',
      timezone: 'Europe/Berlin',
    });
  });
});

describe('the export', () => {
  it('contains everything that is stored about the user, and no secret', async () => {
    await api.request('POST', '/v1/tasks', { token: user.accessToken, body: { title: 'Exported' } });
    const { status, body, text } = await api.request('GET', '/v1/users/me/export', {
      token: user.accessToken,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      exported_at: expect.any(String),
      user: { id: user.userId, email: user.email },
      tasks: [expect.objectContaining({ title: 'Exported' })],
    });
    expect(text).not.toMatch(/argon2|password|refresh_token|hash/);
  });

  it('contains every session with its end, including ended ones', async () => {
    const other = await api.login(user.email, user.password);
    await api.request('POST', '/v1/auth/logout', { token: other.accessToken });
    const { body } = await api.request('GET', '/v1/users/me/export', { token: user.accessToken });
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    const session = { created_at: time, last_used_at: time, expires_at: time, ip: expect.any(String) };
    expect(body['sessions']).toEqual([
      expect.objectContaining({ ...session, revoked_at: null }),
      expect.objectContaining({ ...session, revoked_at: time }),
    ]);
  });

  it('contains nothing of other users', async () => {
    const other = await api.registerAndLogin();
    await api.request('POST', '/v1/tasks', { token: other.accessToken, body: { title: 'Not yours' } });
    const { text } = await api.request('GET', '/v1/users/me/export', { token: user.accessToken });
    expect(text).not.toContain('Not yours');
    expect(text).not.toContain(other.userId);
  });
});

describe('deleting the account', () => {
  it('deletes everything in it, ends its sessions at once, and frees the e-mail', async () => {
    await api.request('POST', '/v1/tasks', {
      token: user.accessToken,
      body: { title: 'Gone' },
      headers: { 'idempotency-key': 'once' },
    });
    expect((await me('DELETE')).status).toBe(204);
    expectProblem(await me('GET'), 401);
    expectProblem(
      await api.request('POST', '/v1/auth/refresh', { body: { refresh_token: user.refreshToken } }),
      401,
    );
    await waitFor(async () => (await rowsOf(user.userId)) === 0, { what: 'the last row to go' });
    const { email, password } = user;
    expectProblem(await api.request('POST', '/v1/auth/login', { body: { email, password } }), 401);
    const again = await api.request('POST', '/v1/auth/register', { body: { email, password, name: 'Ada' } });
    expect(again.status).toBe(201);
  });

  it('requires a login within the last ten minutes', async () => {
    // Makes the session ten minutes old; its next token says so.
    await runSql(
      databaseUrl(),
      `UPDATE auth.sessions SET authenticated_at = now() - interval '11 minutes' WHERE user_id = $1`,
      [user.userId],
    );
    const { body } = await api.request<{ access_token: string }>('POST', '/v1/auth/refresh', {
      body: { refresh_token: user.refreshToken },
    });
    expectProblem(await me('DELETE', { token: body.access_token }), 403, 'reauthentication_required');
    expect((await me('GET', { token: body.access_token })).status).toBe(200);
    const fresh = await api.login(user.email, user.password);
    expect((await me('DELETE', { token: fresh.accessToken })).status).toBe(204);
  });

  it('leaves no moment in which the account still works', async () => {
    expect((await me('DELETE')).status).toBe(204);
    const { email, password } = user;
    expectProblem(await api.request('POST', '/v1/auth/login', { body: { email, password } }), 401);
    const again = { email, password, name: 'Ada' };
    expect((await api.request('POST', '/v1/auth/register', { body: again })).status).toBe(201);
  });

  it('is not undone by a delayed event', async () => {
    expect((await me('DELETE')).status).toBe(204);
    await waitFor(async () => (await rowsOf(user.userId)) === 0, { what: 'the last row to go' });
    const event = randomUUID();
    await runSql(
      databaseUrl(),
      `INSERT INTO auth.outbox (id, topic, payload) VALUES ($1, 'user.registered', $2)`,
      [event, JSON.stringify({ user_id: user.userId, name: 'Ada', timezone: 'UTC' })],
    );
    const pending = () => runSql(databaseUrl(), 'SELECT 1 FROM auth.outbox WHERE id = $1', [event]);
    await waitFor(async () => (await pending()).length === 0, { what: 'the event to be delivered' });
    expect(await rowsOf(user.userId)).toBe(0);
  });

  it('and a change of the same version can not both go through', async () => {
    const etag = (await me('GET')).headers['etag'];
    const [changed, deleted] = await Promise.all([
      patch({ name: 'Countess' }),
      me('DELETE', { headers: { 'if-match': etag } }),
    ]);
    expect([
      [200, 412],
      [401, 204],
    ]).toContainEqual([changed.status, deleted.status]);
  });

  it('honours If-Match', async () => {
    const stale = (await me('GET')).headers['etag'];
    await patch({ name: 'Countess' });
    expectProblem(await me('DELETE', { headers: { 'if-match': stale } }), 412);
    expect((await me('GET')).status).toBe(200);
  });
});

function databaseUrl(): string {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined)
    throw new Error('TEST_DATABASE_URL is not set: this suite needs the database of the API.');
  return url;
}

/** Rows that contain the user's id, in all tables except the outbox. */
async function rowsOf(userId: string): Promise<number> {
  const tables = await runSql(
    databaseUrl(),
    `SELECT c.table_schema || '.' || c.table_name AS name, c.column_name AS column
     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE c.table_schema IN ('auth', 'users', 'tasks') AND t.table_type = 'BASE TABLE'
       AND (c.column_name = 'user_id' OR (c.column_name = 'id' AND c.table_name IN ('accounts', 'profiles')))`,
  );
  expect(tables.length).toBeGreaterThan(4);
  let rows = 0;
  for (const { name, column } of tables) {
    const [row] = await runSql(
      databaseUrl(),
      `SELECT count(*)::int AS n FROM ${String(name)} WHERE ${String(column)} = $1`,
      [userId],
    );
    rows += Number(row?.['n']);
  }
  return rows;
}
