import { client, type ApiResponse, type Client, type Session } from '../support/client.js';
import { mailsTo, waitForMail } from '../support/mailbox.js';
import { expectProblem } from '../support/problem.js';

let api: Client;
let user: Session;
beforeAll(() => {
  api = client();
});
beforeEach(async () => {
  user = await api.registerAndLogin();
});
afterAll(() => api.close());

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}
interface SessionPage {
  readonly data: readonly { readonly id: string; readonly current: boolean; readonly user_agent: string }[];
  readonly next_cursor: string | null;
  readonly has_more: boolean;
}

const logIn = (email: string, password: string) =>
  api.request('POST', '/v1/auth/login', { body: { email, password } });
const refresh = (token: string): Promise<ApiResponse<Tokens>> =>
  api.request('POST', '/v1/auth/refresh', { body: { refresh_token: token } });
const post = (path: string, token: string) => api.request('POST', `/v1/auth/${path}`, { token });
const readProfile = (token: string) => api.request('GET', '/v1/users/me', { token });
const listSessions = (token: string, query = '') =>
  api.request<SessionPage>('GET', `/v1/auth/sessions${query}`, { token });
const endSession = (token: string, id: string) => api.request('DELETE', `/v1/auth/sessions/${id}`, { token });

describe('login', () => {
  it('returns a pair of tokens that must not be cached', async () => {
    const { status, body, headers } = await logIn(user.email.toUpperCase(), user.password);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        refresh_token: expect.stringMatching(/^[\w-]{43}$/),
        token_type: 'Bearer',
        expires_in: 900,
      },
    });
    expect(headers['cache-control']).toBe('no-store');
  });

  it('responds alike to a wrong password and to an unknown address', async () => {
    const wrong = expectProblem(await logIn(user.email, 'not the password'), 401, 'invalid_credentials');
    const unknown = expectProblem(
      await logIn(`x${user.email}`, 'not the password'),
      401,
      'invalid_credentials',
    );
    expect({ ...unknown, request_id: '' }).toEqual({ ...wrong, request_id: '' });
  });

  it('compares the whole password, including spaces and case', async () => {
    for (const password of [`${user.password} `, user.password.toUpperCase(), user.password.slice(0, -1)]) {
      expectProblem(await logIn(user.email, password), 401, 'invalid_credentials');
    }
  });
});

describe('refresh', () => {
  it('returns a new pair, and both tokens work', async () => {
    const { status, body, headers } = await refresh(user.refreshToken);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body.refresh_token).not.toBe(user.refreshToken);
    expect((await readProfile(body.access_token)).status).toBe(200);
    expect((await refresh(body.refresh_token)).status).toBe(200);
  });

  it('lets one of 50 simultaneous requests through, and keeps the session', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(user.refreshToken)));
    const [winner] = answers.filter(({ status }) => status === 200);
    const losers = answers.filter(({ status }) => status !== 200);
    expect(losers).toHaveLength(49);
    for (const loser of losers) expectProblem(loser, 409, 'refresh_superseded');
    expect((await refresh(winner?.body.refresh_token ?? '')).status).toBe(200);
  });

  it('refuses a token that was never issued, and ends no session', async () => {
    expectProblem(await refresh('A'.repeat(43)), 401, 'invalid_refresh_token');
    expectProblem(await refresh('x'), 401, 'invalid_refresh_token');
    expect((await refresh(user.refreshToken)).status).toBe(200);
  });
});

describe('logout', () => {
  it('ends the session for the very next request', async () => {
    expect((await post('logout', user.accessToken)).status).toBe(204);
    expectProblem(await readProfile(user.accessToken), 401, 'invalid_token');
    expectProblem(await refresh(user.refreshToken), 401, 'invalid_refresh_token');
  });

  it('keeps other sessions', async () => {
    const other = await api.login(user.email, user.password);
    await post('logout', user.accessToken);
    expect((await readProfile(other.accessToken)).status).toBe(200);
  });

  it('from everywhere ends every session', async () => {
    const other = await api.login(user.email, user.password);
    expect((await post('logout-all', user.accessToken)).status).toBe(204);
    for (const { accessToken } of [user, other])
      expectProblem(await readProfile(accessToken), 401, 'invalid_token');
  });
});

describe('a login from a new device', () => {
  const firefox = (version: number) =>
    `Mozilla/5.0 (X11; Linux x86_64; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
  const logInWith = (userAgent: string) =>
    api.request('POST', '/v1/auth/login', {
      body: { email: user.email, password: user.password },
      headers: { 'user-agent': userAgent },
    });
  const subject = 'new login';

  it('is told to the user by a mail, once for each device', async () => {
    expect((await logInWith(firefox(130))).status).toBe(200);
    const { text } = await waitForMail(user.email, { subject });
    expect(text).toContain('Firefox on Linux');
    expect(text).toMatch(/IP address [\d.:a-f]+\./);
    // The first login and an update of the browser are no news; what another one says of itself is not repeated.
    await logInWith(firefox(131));
    await logInWith('Your account is locked: visit http://evil.example');
    const second = await waitForMail(user.email, { subject, skip: 1 });
    expect(second.text).toContain('a program that is not a known browser');
    expect(second.text).not.toContain('evil');
    await post('logout-all', user.accessToken);
    await logInWith(firefox(132));
    await api.request('POST', '/v1/auth/password/forgot', { body: { email: user.email } });
    await waitForMail(user.email, { subject: 'reset' });
    const told = (await mailsTo(user.email)).filter((mail) => mail.subject.toLowerCase().includes(subject));
    expect(told).toHaveLength(2);
  });
});

describe('the list of sessions', () => {
  it('shows the origin of each, and which one is the current one', async () => {
    await api.request('POST', '/v1/auth/login', {
      body: { email: user.email, password: user.password },
      headers: { 'user-agent': 'u'.repeat(300) },
    });
    const { status, body } = await listSessions(user.accessToken);
    expect(status).toBe(200);
    expect(body).toMatchObject({ next_cursor: null, has_more: false });
    expect(body.data.map(({ current }) => current)).toEqual([false, true]);
    expect(body.data[0]).toEqual({
      id: expect.any(String),
      created_at: expect.any(String),
      last_used_at: expect.any(String),
      expires_at: expect.any(String),
      user_agent: 'u'.repeat(200),
      ip: expect.stringMatching(/^[\d.:a-f]+$/),
      current: false,
    });
  });

  it('continues from a cursor, in pages of the requested size', async () => {
    for (let login = 0; login < 2; login++) await api.login(user.email, user.password);
    const first = await listSessions(user.accessToken, '?limit=2');
    expect(first.body).toMatchObject({ has_more: true, next_cursor: expect.any(String) });
    const query = `?limit=2&cursor=${first.body.next_cursor ?? ''}`;
    expect(first.headers['link']).toBe(`</v1/auth/sessions${query}>; rel="next"`);
    const second = await listSessions(user.accessToken, query);
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null });
    expect(new Set([...first.body.data, ...second.body.data].map(({ id }) => id)).size).toBe(3);
  });

  it('refuses a foreign cursor, a limit above 100 and an unknown parameter', async () => {
    for (const cursor of ['abc', '', 'x'.repeat(5000), '%00', '%FF'])
      expectProblem(await listSessions(user.accessToken, `?cursor=${cursor}`), 400, 'invalid_cursor');
    expectProblem(await listSessions(user.accessToken, '?limit=101'), 422);
    expectProblem(await listSessions(user.accessToken, '?sort=ip'), 422);
  });

  it('ends a session by its id for the very next request', async () => {
    const other = await api.login(user.email, user.password);
    const { body } = await listSessions(other.accessToken);
    const mine = body.data.find(({ current }) => !current)?.id ?? '';
    expect((await endSession(other.accessToken, mine)).status).toBe(204);
    expectProblem(await readProfile(user.accessToken), 401, 'invalid_token');
    expect((await listSessions(other.accessToken)).body.data).toHaveLength(1);
    expectProblem(await endSession(other.accessToken, mine), 404, 'session_not_found');
  });

  it("knows nothing of another user's session, of an unknown and of a malformed id", async () => {
    const stranger = await api.registerAndLogin();
    const theirs = (await listSessions(stranger.accessToken)).body.data[0]?.id ?? '';
    for (const id of [theirs, '0190aaaa-0000-7000-8000-000000000000', 'not-an-id', '%00']) {
      expectProblem(await endSession(user.accessToken, id), 404);
    }
    expect((await readProfile(stranger.accessToken)).status).toBe(200);
  });
});

describe('every route of the account', () => {
  it.each([
    ['POST', 'logout'],
    ['POST', 'logout-all'],
    ['GET', 'sessions'],
    ['DELETE', 'sessions/0190aaaa-0000-7000-8000-000000000000'],
    ['POST', 'password/change'],
  ])('requires a token: %s %s', async (method, path) => {
    const answer = await api.request(method, `/v1/auth/${path}`);
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });
});
