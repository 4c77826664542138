import { startApi, type Api } from '../support/api.js';
import { client, type ApiResponse, type Client } from '../support/client.js';
import { expectProblem } from '../support/problem.js';
import { runSql } from '../support/test-database.js';

const variables = [
  ...['FREE_POINTS', 'PREMIUM_POINTS', 'ANONYMOUS_POINTS', 'CREDENTIALS_POINTS', 'FAILED_LOGIN_POINTS'],
  ...['REFRESH_POINTS', 'WINDOW_SECONDS', 'BLOCK_SECONDS'],
];
const shipped = Object.fromEntries(variables.map((name) => [`RATE_LIMIT_${name}`, undefined]));

/** Each process counts on its own here, so that every test starts with all points. */
let api: Api;
let caller: Client;
beforeEach(async () => {
  api = await startApi({ env: shipped });
  caller = client(api.url);
});
afterEach(async () => {
  caller.close();
  await api.kill();
});

const readMany = async (times: number, token: string): Promise<readonly ApiResponse[]> => {
  const answers = [];
  for (let n = 0; n < times; n++) answers.push(await caller.request('GET', '/v1/tasks', { token }));
  return answers;
};
const statuses = (answers: readonly ApiResponse[]) => [...new Set(answers.map(({ status }) => status))];

function expectBlockedFor60Seconds(answer: ApiResponse) {
  expectProblem(answer, 429, 'rate_limited');
  expect(answer.headers['retry-after']).toBe('60');
}

describe('the default limits', () => {
  it('let a free user call 100 times in 15 minutes, and refuse the 101st for a minute', async () => {
    const { accessToken } = await caller.registerAndLogin();
    const answers = await readMany(100, accessToken);
    expect(statuses(answers)).toEqual([200]);
    expect(answers[0]?.headers['ratelimit-policy']).toBe('"user";q=100;w=900');
    expect(answers[99]?.headers['ratelimit']).toMatch(/^"user";r=0;t=\d+$/);
    const refused = await caller.request('POST', '/v1/tasks', { token: accessToken, body: { title: 'x' } });
    expectBlockedFor60Seconds(refused);
    expect(refused.headers['ratelimit']).toBe('"user";r=0;t=60');
  });

  it('let a premium user call 1000 times', async () => {
    const { email, password, userId } = await caller.registerAndLogin();
    await runSql(api.databaseUrl, "UPDATE users.profiles SET tier = 'premium' WHERE id = $1", [userId]);
    const { accessToken } = await caller.login(email, password);
    expect(statuses(await readMany(1000, accessToken))).toEqual([200]);
    expectBlockedFor60Seconds(await caller.request('GET', '/v1/tasks', { token: accessToken }));
  });

  it('let an address call 100 times without a token, 10 of them with credentials', async () => {
    const logIn = () =>
      caller.request('POST', '/v1/auth/login', { body: { email: 'nobody@example.com', password: 'x' } });
    const logins = [];
    for (let n = 0; n < 10; n++) logins.push(await logIn());
    expect(statuses(logins)).toEqual([401]);
    expectBlockedFor60Seconds(await logIn());
    const keys = () => caller.request('GET', '/.well-known/jwks.json');
    const others = [];
    for (let n = 0; n < 90; n++) others.push(await keys());
    expect(statuses(others)).toEqual([200]);
    expectBlockedFor60Seconds(await keys());
  });
});
