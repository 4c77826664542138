import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import { newRegistration, type ApiRequest, type ApiResponse, type Client } from '../support/client.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import { expectProblem } from '../support/problem.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

jest.setTimeout(120_000);

const limits = {
  ...{ free: 20, premium: 40, anonymous: 30, credentials: 10, refreshes: 3 },
  // Of an e-mail from one network, and from all of them.
  ...{ failedLogins: 5, failedLoginsOfEmail: 12 },
};
const blockSeconds = 2;
const windowSeconds = 900;

let redis: TestRedis;
let fleet: Fleet;

beforeAll(async () => {
  redis = await startRedis();
  fleet = await startFleet({
    size: 8,
    env: {
      REDIS_URL: redis.url,
      // Longer than eight processes on one machine need: otherwise Redis would be treated as down.
      REDIS_TIMEOUT_MS: '5000',
      TRUSTED_PROXIES: '127.0.0.1',
      LOG_LEVEL: 'warn',
      DATABASE_POOL_SIZE: '5',
      RATE_LIMIT_FREE_POINTS: String(limits.free),
      RATE_LIMIT_PREMIUM_POINTS: String(limits.premium),
      RATE_LIMIT_ANONYMOUS_POINTS: String(limits.anonymous),
      RATE_LIMIT_CREDENTIALS_POINTS: String(limits.credentials),
      RATE_LIMIT_FAILED_LOGIN_POINTS: String(limits.failedLogins),
      RATE_LIMIT_FAILED_LOGIN_EMAIL_POINTS: String(limits.failedLoginsOfEmail),
      RATE_LIMIT_REFRESH_POINTS: String(limits.refreshes),
      RATE_LIMIT_WINDOW_SECONDS: String(windowSeconds),
      RATE_LIMIT_BLOCK_SECONDS: String(blockSeconds),
    },
  });
});
afterAll(async () => {
  await fleet.stop();
  await redis.stop();
});

/** An address that no other test uses. */
const newIp = () => `198.18.${randomBytes(2).join('.')}`;
const from = (ip: string) => ({ 'x-forwarded-for': ip });

interface User {
  readonly email: string;
  readonly password: string;
  readonly id: string;
  readonly token: string;
  readonly refreshToken: string;
}
interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

const logIn = (email: string, password: string, n = 0, ip = newIp()) =>
  fleet.member(n).request<Tokens>('POST', '/v1/auth/login', {
    body: { email, password },
    headers: from(ip),
  });

/** Calls that each come from a different address, so that no limit of an IP is reached. */
async function newUser(tier: 'free' | 'premium' = 'free', ip = newIp()): Promise<User> {
  const body = newRegistration();
  const { email, password } = body;
  const registered = await fleet
    .member(0)
    .request<{ id: string }>('POST', '/v1/auth/register', { body, headers: from(newIp()) });
  const { id } = registered.body;
  if (tier === 'premium') {
    const { databaseUrl } = fleet.member(0).api;
    await runSql(databaseUrl, 'UPDATE users.profiles SET tier = $2 WHERE id = $1', [id, tier]);
  }
  const tokens = await logIn(email, password, 0, ip);
  expect(tokens.status).toBe(200);
  const { access_token: token, refresh_token: refreshToken } = tokens.body;
  return { email, password, id, token, refreshToken };
}

const readTasks = ({ token }: User, n = 0) => fleet.member(n).request('GET', '/v1/tasks', { token });
const bulk = ({ token }: User, operations: number, n = 0) =>
  fleet.member(n).request('POST', '/v1/tasks/bulk', {
    token,
    body: { operations: Array.from({ length: operations }, () => ({ op: 'create', data: { title: 'x' } })) },
  });
const anonymous = (
  ip: string | undefined,
  path = '/.well-known/jwks.json',
  through: Client = fleet.member(0),
) => through.request('GET', path, ip === undefined ? {} : { headers: from(ip) });

const isAdmitted = ({ status }: ApiResponse<unknown>) => status !== 429;
const count = (answers: readonly ApiResponse<unknown>[]) => answers.filter(isAdmitted).length;
const timesOf = async <T>(times: number, call: (n: number) => Promise<T>): Promise<readonly T[]> =>
  Promise.all(Array.from({ length: times }, (_, n) => call(n)));

/** The RateLimit header of a policy: points left, and seconds until they are reset. */
function leftOf({ headers }: ApiResponse<unknown>, policy = 'user') {
  const [, left, seconds] =
    new RegExp(`"${policy}";r=(\\d+);t=(\\d+)`).exec(headers['ratelimit'] ?? '') ?? [];
  return { left: Number(left), seconds: Number(seconds) };
}

function expectBlocked(answer: ApiResponse<unknown>, maxSeconds = blockSeconds) {
  const problem = expectProblem(answer, 429, 'rate_limited');
  expect(problem.type).toBe('https://iana.org/assignments/http-problem-types#quota-exceeded');
  const seconds = Number(answer.headers['retry-after']);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(maxSeconds);
  return seconds;
}

describe('the limit of a user', () => {
  it('counts calls of all routes and processes together, and reports correctly how many are left', async () => {
    const { token } = await newUser();
    const calls: readonly [string, string, ApiRequest?][] = [
      ['GET', '/v1/tasks'],
      ['GET', '/v1/users/me'],
      ['POST', '/v1/tasks', { body: { title: 'x' } }],
      ['GET', '/v1/auth/sessions'],
      ['POST', '/v1/tasks', { body: { wrong: true } }],
      ['GET', '/v1/tasks/019aa000-0000-7000-8000-000000000000'],
    ];
    const call = (n: number) => {
      const [method, path, options = {}] = calls[n % calls.length] ?? ['GET', '/v1/tasks'];
      return fleet.member(n).request(method, path, { token, ...options });
    };
    for (let n = 0; n < limits.free; n++) {
      const answer = await call(n);
      expect(answer.status).not.toBe(429);
      expect(answer.headers['ratelimit-policy']).toBe(`"user";q=${limits.free};w=${windowSeconds}`);
      const { left, seconds } = leftOf(answer);
      expect(left).toBe(limits.free - n - 1);
      expect(seconds).toBeLessThanOrEqual(windowSeconds);
      expect(seconds).toBeGreaterThan(windowSeconds - 30);
      expect(answer.headers['retry-after']).toBeUndefined();
    }
    for (let n = limits.free; n < limits.free + 8; n++) {
      const answer = await call(n);
      const seconds = expectBlocked(answer);
      expect(leftOf(answer)).toEqual({ left: 0, seconds });
    }
  });

  it('allows exactly its points when many calls reach 8 processes at once', async () => {
    const user = await newUser();
    expect(count(await timesOf(160, (n) => readTasks(user, n)))).toBe(limits.free);
  });

  it('is higher for premium users', async () => {
    const user = await newUser('premium');
    const answers = await timesOf(100, (n) => readTasks(user, n));
    expect(count(answers)).toBe(limits.premium);
    expect(answers[0]?.headers['ratelimit-policy']).toBe(`"user";q=${limits.premium};w=${windowSeconds}`);
  });

  it('blocks for as long as Retry-After says, whatever is sent in the meantime, and then starts again', async () => {
    const user = await newUser();
    await timesOf(limits.free, () => readTasks(user));
    const blockedAt = performance.now();
    const seconds = expectBlocked(await readTasks(user));
    let promisedAt = 0;
    const first = await waitFor(
      async () => {
        const askedAt = performance.now();
        const answer = await readTasks(user);
        if (isAdmitted(answer)) return { answer, askedAt };
        promisedAt = askedAt + expectBlocked(answer) * 1000;
        return null;
      },
      { intervalMs: 20 },
    );
    const waitedMs = performance.now() - blockedAt;
    expect(waitedMs).toBeGreaterThanOrEqual(blockSeconds * 1000 - 50);
    // Nobody who waited as long as Retry-After said was refused.
    expect(first.askedAt).toBeLessThanOrEqual(promisedAt + 50);
    expect(seconds).toBe(blockSeconds);
    expect(leftOf(first.answer)).toEqual({ left: limits.free - 1, seconds: windowSeconds });
  });

  it('counts each operation of a bulk call, on every process', async () => {
    const user = await newUser();
    const first = await bulk(user, 7, 0);
    expect([first.status, leftOf(first).left]).toEqual([200, limits.free - 7]);
    const second = await bulk(user, 12, 1);
    expect([second.status, leftOf(second).left]).toEqual([200, 1]);
    expectBlocked(await bulk(user, 2, 2));
    const tasks = await runSql(
      fleet.member(0).api.databaseUrl,
      'SELECT FROM tasks.tasks WHERE user_id = $1',
      [user.id],
    );
    expect(tasks).toHaveLength(19);
  });

  it('allows only as many concurrent bulk calls as its points allow', async () => {
    // Each call counts one point before its body is read and the others afterwards: concurrent calls may all run out of points.
    const [hasty, patient] = [await newUser(), await newUser()];
    const paidFor = Math.floor(limits.free / 3);
    expect(count(await timesOf(24, (n) => bulk(hasty, 3, n)))).toBeLessThanOrEqual(paidFor);
    let admitted = 0;
    while (isAdmitted(await bulk(patient, 3, admitted))) admitted++;
    expect(admitted).toBe(paidFor);
  });

  it('is not used up by tokens of sessions that have ended', async () => {
    const user = await newUser();
    const other = (await logIn(user.email, user.password)).body.access_token;
    expect((await fleet.member(0).request('POST', '/v1/auth/logout', { token: other })).status).toBe(204);
    const before = leftOf(await readTasks(user)).left;
    const ip = newIp();
    const answers = [];
    for (let n = 0; n < 5; n++)
      answers.push(await fleet.member(0).request('GET', '/v1/tasks', { token: other, headers: from(ip) }));
    for (const answer of answers) expectProblem(answer, 401, 'invalid_token');
    // The first one tells the process that the session has ended.
    expect(leftOf(await readTasks(user)).left).toBe(before - 2);
    expect(leftOf(await anonymous(ip), 'ip').left).toBe(limits.anonymous - 5);
  });

  it('counts a call with an invalid token against the address', async () => {
    const ip = newIp();
    const answer = await fleet.member(0).request('GET', '/v1/tasks', { token: 'a.b.c', headers: from(ip) });
    expectProblem(answer, 401);
    expect(leftOf(answer, 'ip').left).toBe(limits.anonymous - 1);
    expect(leftOf(await anonymous(ip), 'ip').left).toBe(limits.anonymous - 2);
  });

  it('continues its count after Redis has lost it', async () => {
    const user = await newUser();
    for (let n = 0; n < 15; n++) expect((await readTasks(user)).status).toBe(200);
    await redis.command('FLUSHALL');
    expect(leftOf(await readTasks(user)).left).toBe(limits.free - 16);
  });

  it('does not ask Redis about a known block', async () => {
    const user = await newUser();
    // Redis lists the commands on this user's count; the outbox may use other keys of the user in the meantime.
    const countings = async () =>
      JSON.stringify(await redis.command('SLOWLOG', 'GET', '-1')).split(`${user.id}}:limit:user`).length - 1;
    await redis.command('CONFIG', 'SET', 'slowlog-log-slower-than', '0', 'slowlog-max-len', '1000');
    await timesOf(limits.free + 1, () => readTasks(user));
    const before = await countings();
    expect(before).toBeGreaterThan(limits.free);
    expect(count(await timesOf(50, () => readTasks(user)))).toBe(0);
    expect(await countings()).toBe(before);
    await redis.command('CONFIG', 'SET', 'slowlog-log-slower-than', '10000');
  });
});

describe('the limit of an address', () => {
  it('counts every route that needs no token, separately for each address', async () => {
    const [one, other] = [newIp(), newIp()];
    const paths = ['/.well-known/jwks.json', '/v1/tasks', '/v1/users/me'];
    const admitted = await timesOf(limits.anonymous, (n) => anonymous(one, paths[n % 3], fleet.member(n)));
    expect(count(admitted)).toBe(limits.anonymous);
    expectBlocked(await anonymous(one));
    const answer = await anonymous(other);
    expect([answer.status, leftOf(answer, 'ip').left]).toEqual([200, limits.anonymous - 1]);
    expect(answer.headers['ratelimit-policy']).toBe(`"ip";q=${limits.anonymous};w=${windowSeconds}`);
  });

  it('never refuses health checks of a load balancer', async () => {
    const ip = newIp();
    await timesOf(limits.anonymous + 1, () => anonymous(ip));
    expectBlocked(await anonymous(ip));
    const answer = await anonymous(ip, '/healthz');
    expect([answer.status, answer.headers['ratelimit']]).toEqual([200, undefined]);
  });

  it('is shared by a whole /64 of IPv6', async () => {
    const net = `2001:db8:${randomBytes(2).toString('hex')}`;
    const left = async (ip: string) => leftOf(await anonymous(ip), 'ip').left;
    expect(await left(`${net}:1::1`)).toBe(limits.anonymous - 1);
    expect(await left(`${net}:1:ffff:ffff:ffff:ffff`)).toBe(limits.anonymous - 2);
    expect(await left(`${net.toUpperCase()}:0001:0:0:0:2`)).toBe(limits.anonymous - 3);
    expect(await left(`${net}:2::1`)).toBe(limits.anonymous - 1);
  });

  it('is the same for an IPv4 address and its IPv6 form', async () => {
    const ip = newIp();
    await anonymous(ip);
    expect(leftOf(await anonymous(`::ffff:${ip}`), 'ip').left).toBe(limits.anonymous - 2);
  });

  it('uses the last untrusted hop, so that a client cannot forge its address', async () => {
    const ip = newIp();
    const lefts = [];
    for (const made of [newIp(), newIp(), `${newIp()}, ${newIp()}`, 'unknown'])
      lefts.push(leftOf(await anonymous(`${made}, ${ip}`), 'ip').left);
    expect(lefts).toEqual([1, 2, 3, 4].map((n) => limits.anonymous - n));
  });

  it('ignores X-Forwarded-For if no proxy is trusted', async () => {
    const untrusting = await startFleet({
      size: 1,
      databaseUrl: fleet.member(0).api.databaseUrl,
      env: { REDIS_URL: redis.url, RATE_LIMIT_ANONYMOUS_POINTS: '5', RATE_LIMIT_BLOCK_SECONDS: '2' },
    });
    try {
      const call = () => anonymous(newIp(), '/.well-known/jwks.json', untrusting.member(0));
      const lefts = [];
      for (let n = 0; n < 5; n++) lefts.push(leftOf(await call(), 'ip').left);
      expect(lefts).toEqual([4, 3, 2, 1, 0]);
      expectBlocked(await call());
    } finally {
      await untrusting.stop();
    }
  });

  it('believes no address of a proxy that is none', async () => {
    const { email, password } = await newUser();
    const logInFromNowhere = () =>
      fleet.member(0).request<Tokens>('POST', '/v1/auth/login', {
        body: { email, password },
        headers: from('not an address'),
      });
    // The address of the proxy may be blocked by the test before.
    const { body } = await waitFor(async () => {
      const answer = await logInFromNowhere();
      return answer.status === 200 && answer;
    });
    const sessions = await fleet
      .member(0)
      .request<{ data: { ip: string }[] }>('GET', '/v1/auth/sessions', { token: body.access_token });
    expect(sessions.status).toBe(200);
    expect(sessions.body.data.map(({ ip }) => ip)).toContain('127.0.0.1');
  });
});

describe('the limit of credentials', () => {
  const routes: readonly [string, object][] = [
    ['register', {}],
    ['login', { email: 'nobody@example.com', password: 'x' }],
    ['verify-email', { token: 'x' }],
    ['resend-verification', { email: 'nobody@example.com' }],
    ['password/forgot', { email: 'nobody@example.com' }],
    ['password/reset', { token: 'x', password: 'x' }],
    ['email/confirm', { token: 'x' }],
  ];
  const call = (ip: string, n: number) => {
    const [route, body] = routes[n % routes.length] ?? ['login', {}];
    return fleet.member(n).request('POST', `/v1/auth/${route}`, { body, headers: from(ip) });
  };

  it('counts all such routes of an address together, separately from its other calls', async () => {
    const ip = newIp();
    for (let n = 0; n < limits.credentials; n++) {
      const answer = await call(ip, n);
      expect(answer.status).not.toBe(429);
      expect(answer.headers['ratelimit-policy']).toBe(
        `"credentials";q=${limits.credentials};w=60, "ip";q=${limits.anonymous};w=${windowSeconds}`,
      );
      expect(leftOf(answer, 'credentials').left).toBe(limits.credentials - n - 1);
      expect(leftOf(answer, 'ip').left).toBe(limits.anonymous - n - 1);
    }
    for (let n = 0; n < routes.length; n++) {
      const answer = await call(ip, n);
      expectBlocked(answer);
      expect(leftOf(answer, 'credentials').left).toBe(0);
    }
    expect((await anonymous(ip)).status).toBe(200);
    expect((await call(newIp(), 1)).status).toBe(401);
  });

  it('allows exactly its points when many calls reach 8 processes at once', async () => {
    const ip = newIp();
    // Lower than the general limit of the address.
    const answers = await timesOf(24, (n) => call(ip, n % 2 === 0 ? 2 : 3));
    expect(count(answers)).toBe(limits.credentials);
  });
});

describe('failed logins', () => {
  const wrong = 'not the password';
  // They are refused until their window ends.
  const expectLocked = (answer: ApiResponse<unknown>) => expectBlocked(answer, windowSeconds);

  it.each(['known', 'unknown'])('for an e-mail that is %s are limited in each network', async (kind) => {
    const user = await newUser();
    const email = kind === 'known' ? user.email : newRegistration().email;
    const ip = newIp();
    for (let n = 0; n < limits.failedLogins; n++) {
      const address = n % 2 === 0 ? email : email.toUpperCase();
      expectProblem(await logIn(address, wrong, n, ip), 401, 'invalid_credentials');
    }
    expectLocked(await logIn(email, wrong, 1, ip));
    // Not even the right password reveals anything now.
    expectLocked(await logIn(email, user.password, 2, ip));
    expect((await logIn(newRegistration().email, wrong, 1, ip)).status).toBe(401);
    // The user is elsewhere.
    if (kind === 'known') expect((await logIn(email, user.password, 2)).status).toBe(200);
  });

  it('count IPv6 addresses by their /64 network', async () => {
    const { email } = newRegistration();
    for (let n = 0; n < limits.failedLogins; n++)
      expect((await logIn(email, wrong, n, `2001:db8:1:2::${n + 1}`)).status).toBe(401);
    expectLocked(await logIn(email, wrong, 1, '2001:db8:1:2:ffff::1'));
    expect((await logIn(email, wrong, 1, '2001:db8:1:3::1')).status).toBe(401);
  });

  it.each(['known', 'unknown'])(
    'for an e-mail that is %s are limited from all networks together',
    async (kind) => {
      const user = await newUser();
      const email = kind === 'known' ? user.email : newRegistration().email;
      for (let n = 0; n < limits.failedLoginsOfEmail; n++)
        expectProblem(await logIn(email, wrong, n), 401, 'invalid_credentials');
      expectLocked(await logIn(email, wrong, 1));
      expectLocked(await logIn(email, user.password, 2));
    },
  );

  it('in other networks do not lock out a user where the user has logged in before', async () => {
    const home = newIp();
    const { email, password } = await newUser('free', home);
    for (let n = 0; n <= limits.failedLoginsOfEmail; n++) await logIn(email, wrong, n);
    expectLocked(await logIn(email, password, 1));
    expect((await logIn(email, password, 2, home)).status).toBe(200);
    // Whoever is there may guess no more than elsewhere.
    for (let n = 0; n < limits.failedLogins; n++)
      expect((await logIn(email, wrong, n, home)).status).toBe(401);
    expectLocked(await logIn(email, password, 2, home));
  });

  it('in other networks do not lock out a user who has reset the password', async () => {
    const { email, password } = await newUser();
    const [home, elsewhere] = [newIp(), newIp()];
    for (let n = 0; n <= limits.failedLoginsOfEmail; n++) await logIn(email, wrong, n);
    const { id } = (
      await runSql(fleet.member(0).api.databaseUrl, 'SELECT id FROM auth.accounts WHERE email = $1', [email])
    )[0] as { id: string };
    await runSql(
      fleet.member(0).api.databaseUrl,
      `INSERT INTO auth.mail_tokens (event_id, account_id, address_hash, purpose, token_hash, expires_at)
       VALUES (gen_random_uuid(), $1, '', 'reset_password', sha256(convert_to($2, 'UTF8')), now() + interval '1 hour')`,
      [id, email],
    );
    const reset = await fleet.member(1).request('POST', '/v1/auth/password/reset', {
      body: { token: email, password: `${password} 2` },
      headers: from(home),
    });
    expect(reset.status).toBe(204);
    expect((await logIn(email, `${password} 2`, 2, home)).status).toBe(200);
    expectLocked(await logIn(email, `${password} 2`, 2, elsewhere));
  });

  it('include wrong passwords within a session', async () => {
    const user = await newUser('premium');
    const ip = newIp();
    const call = (path: string, body: object, n: number) =>
      fleet.member(n).request('POST', `/v1/auth/${path}`, { token: user.token, headers: from(ip), body });
    const change = (current_password: string, n: number) =>
      call('password/change', { current_password, new_password: 'correct horse battery 2' }, n);
    const changeEmail = (current_password: string, n: number) =>
      call('email/change', { current_password, new_email: newRegistration().email }, n);
    // Where somebody else has used up what the e-mail may, the session goes on.
    for (let n = 0; n <= limits.failedLoginsOfEmail; n++) await logIn(user.email, wrong, n);
    for (let n = 0; n < limits.failedLogins; n++)
      expectProblem(await (n % 2 === 0 ? change : changeEmail)(`wrong ${n}`, n), 403, 'invalid_password');
    expectLocked(await change(user.password, 1));
    expectLocked(await changeEmail(user.password, 1));
    // They count for the network as well.
    expectLocked(await logIn(user.email, user.password, 2, ip));
  });

  it('never exceed a limit when they come at the same time', async () => {
    const { email } = newRegistration();
    const ip = newIp();
    // As many as the limit of the address lets through.
    const ofOne = await timesOf(limits.credentials, (n) => logIn(email, `guess ${n}`, n, ip));
    expect(ofOne.filter(({ status }) => status === 401)).toHaveLength(limits.failedLogins);
    expect(count(ofOne)).toBe(limits.failedLogins);
    const ofAll = await timesOf(40, (n) => logIn(newRegistration({ email }).email, `guess ${n}`, n));
    expect(count(ofAll)).toBe(limits.failedLoginsOfEmail - limits.failedLogins);
  });

  it('do not include logins that succeed, however many are made at once', async () => {
    const { email, password } = await newUser();
    for (let round = 0; round < 3; round++) {
      const answers = await timesOf(limits.failedLoginsOfEmail * 2, (n) => logIn(email, password, n));
      expect(count(answers)).toBeGreaterThanOrEqual(limits.failedLoginsOfEmail);
    }
    expect((await logIn(email, password)).status).toBe(200);
    for (let n = 0; n < limits.failedLoginsOfEmail; n++)
      expect((await logIn(email, wrong, n)).status).toBe(401);
    expectLocked(await logIn(email, password));
  });

  it('are as many in a window as may be, however long somebody guesses', async () => {
    const windowMs = 4000;
    const quick = await startFleet({
      size: 1,
      databaseUrl: fleet.member(0).api.databaseUrl,
      env: {
        REDIS_URL: redis.url,
        RATE_LIMIT_FAILED_LOGIN_POINTS: String(limits.failedLogins),
        RATE_LIMIT_WINDOW_SECONDS: String(windowMs / 1000),
        RATE_LIMIT_BLOCK_SECONDS: '1',
      },
    });
    try {
      const { email, password } = await newUser();
      const guess = (body: object) => quick.member(0).request('POST', '/v1/auth/login', { body });
      const startedAt = performance.now();
      let guesses = 0;
      let blocks = 0;
      // Until the second block has ended.
      for (let wasBlocked = false; blocks < 2 || wasBlocked;) {
        const { status } = await guess({ email, password: wrong });
        if (status === 401) guesses++;
        const isBlocked = status === 429;
        if (isBlocked && !wasBlocked) blocks++;
        wasBlocked = isBlocked;
      }
      const windows = Math.ceil((performance.now() - startedAt) / windowMs);
      expect(guesses).toBeGreaterThanOrEqual(2 * limits.failedLogins);
      expect(guesses).toBeLessThanOrEqual(windows * limits.failedLogins);
      expect((await guess({ email, password })).status).toBe(200);
    } finally {
      await quick.stop();
    }
  });
});

describe('refreshes', () => {
  const refresh = (token: string, n: number) =>
    fleet.member(n).request<Tokens>('POST', '/v1/auth/refresh', {
      body: { refresh_token: token },
      headers: from(newIp()),
    });

  it('of one session are limited separately from those of another', async () => {
    const user = await newUser();
    let token = user.refreshToken;
    for (let n = 0; n < limits.refreshes; n++) {
      const answer = await refresh(token, n);
      expect(answer.status).toBe(200);
      token = answer.body.refresh_token;
    }
    expectBlocked(await refresh(token, 0));
    const other = await logIn(user.email, user.password);
    expect((await refresh(other.body.refresh_token, 0)).status).toBe(200);
    // The refused token is still valid.
    const again = await waitFor(
      async () => {
        const answer = await refresh(token, 1);
        return isAdmitted(answer) ? answer : null;
      },
      { intervalMs: 100 },
    );
    expect(again.status).toBe(200);
  });
});

// Last, because it stops the Redis of all other tests.
describe('without Redis', () => {
  it('each process continues from the last known counts also where Redis is only silent', async () => {
    const user = await newUser();
    for (let n = 0; n < 15; n++) expect((await readTasks(user, n % 2)).status).toBe(200);
    redis.pause();
    try {
      expect(count(await timesOf(40, () => readTasks(user, 0)))).toBe(limits.free - 15);
      expectBlocked(await readTasks(user, 0));
    } finally {
      redis.resume();
    }
    for (const member of fleet.members)
      await waitFor(async () => (await member.metric('redis_link_up')) === 1);
  });

  it('each process continues from the last known counts, and nobody starts again', async () => {
    const [user, blocked] = [await newUser(), await newUser()];
    await timesOf(limits.free + 1, (n) => readTasks(blocked, n));
    for (let n = 0; n < 15; n++) expect((await readTasks(user, n % 2)).status).toBe(200);
    expectBlocked(await readTasks(blocked));
    await redis.kill();
    // A block that this process knows stays.
    expectBlocked(await readTasks(blocked));
    // Process 0 last knew of 15 points, process 1 of 14.
    const first = await readTasks(user, 0);
    expect(leftOf(first).left).toBe(limits.free - 16);
    expect(count(await timesOf(40, () => readTasks(user, 0)))).toBe(limits.free - 16);
    expect(count(await timesOf(40, () => readTasks(user, 1)))).toBe(limits.free - 14);
    expectBlocked(await readTasks(user, 0));
  });

  it('failed logins are still limited, by each process on its own', async () => {
    const { email } = newRegistration();
    const ip = newIp();
    const ofOne = await timesOf(limits.credentials, (n) => logIn(email, `guess ${n}`, 0, ip));
    expect(count(ofOne)).toBe(limits.failedLogins);
    const other = newRegistration();
    const ofAll = await timesOf(40, (n) => logIn(other.email, `guess ${n}`, n % 2));
    expect(count(ofAll)).toBe(limits.failedLoginsOfEmail * 2);
  });

  it('nobody starts again when Redis comes back empty', async () => {
    const user = await newUser();
    for (let n = 0; n < limits.free; n++) expect((await readTasks(user, 3)).status).toBe(200);
    expectBlocked(await readTasks(user, 3));
    await redis.start();
    await waitFor(async () => (await fleet.member(3).metric('redis_link_up')) === 1);
    // Still blocked, or the block has expired: the response must be right in both cases.
    const answer = await readTasks(user, 3);
    if (isAdmitted(answer)) expect(leftOf(answer).left).toBe(limits.free - 1);
    else expectBlocked(answer);
  });
});
