import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { startApi, type Api } from '../support/api.js';
import { client, newRegistration, type Client } from '../support/client.js';
import { waitForToken } from '../support/mailbox.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);

const secret = () => randomBytes(24).toString('base64url');
const seen = new Set<string>();
/** Records a secret and returns it. */
const recorded = (value: string): string => {
  seen.add(value);
  return value;
};

let redis: TestRedis;
let folder: string;
let api: Api;
let caller: Client;

beforeAll(async () => {
  redis = await startRedis();
  recorded(redis.password);
  folder = await mkdtemp(join(tmpdir(), 'task-api-keys-'));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  for (const line of pem.toString().split('\n').slice(1, -2)) recorded(line);
  await writeFile(join(folder, 'one.pem'), pem, { mode: 0o600 });
  api = await startApi({
    env: {
      LOG_LEVEL: 'trace',
      REDIS_URL: redis.url,
      JWT_KEYS_DIR: folder,
      CONSISTENCY_TOKEN_KEY: recorded(secret() + secret()),
      // No receiver listens there: the resulting errors are logged too.
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_HEADERS: `api-key=${recorded(secret())}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
  });
  caller = client(api.url);
});
afterAll(async () => {
  await api.kill();
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

async function logIn(email: string, password: string): Promise<Tokens> {
  const { body } = await caller.request<Tokens>('POST', '/v1/auth/login', { body: { email, password } });
  recorded(body.access_token);
  recorded(body.refresh_token);
  return body;
}

const post = (path: string, body: unknown, token?: string) =>
  caller.request<Tokens>('POST', `/v1/auth/${path}`, { body, ...(token !== undefined && { token }) });

/** Every call that accepts or returns a secret, successful and failing. */
async function useEveryFlow(): Promise<void> {
  const registration = newRegistration();
  const { email } = registration;
  recorded(email);
  const first = recorded(registration.password);
  expect((await post('register', registration)).status).toBe(201);
  expect((await post('register', registration)).status).toBe(409);
  expect((await post('register', { ...registration, extra: recorded(secret()) })).status).toBe(422);
  const verify = recorded(await waitForToken(email, { subject: /verify/i }, api.mailDir));
  expect((await post('verify-email', { token: verify })).status).toBe(204);
  expect((await post('verify-email', { token: verify })).status).toBeGreaterThanOrEqual(400);
  expect((await post('resend-verification', { email })).status).toBe(202);

  expect((await post('login', { email, password: recorded(secret()) })).status).toBe(401);
  const raw = `{"email":"${email}","password":"${recorded(secret())}"`;
  const broken = { raw, headers: { 'content-type': 'application/json' } };
  expect((await caller.request('POST', '/v1/auth/login', broken)).status).toBe(400);
  const { access_token, refresh_token } = await logIn(email, first);
  const second = recorded(secret());
  const changed = await post(
    'password/change',
    { current_password: first, new_password: second },
    access_token,
  );
  expect(changed.status).toBe(204);
  const refreshed = await post('refresh', { refresh_token });
  expect(refreshed.status).toBe(200);
  recorded(refreshed.body.access_token);
  recorded(refreshed.body.refresh_token);
  expect((await post('refresh', { refresh_token })).status).toBe(409);
  expect((await post('refresh', { refresh_token: recorded(secret()) })).status).toBe(401);

  expect((await post('password/forgot', { email })).status).toBe(202);
  const reset = recorded(await waitForToken(email, { subject: /reset your password/i }, api.mailDir));
  const third = recorded(secret());
  expect((await post('password/reset', { token: reset, password: third })).status).toBe(204);
  const last = await logIn(email, third);
  const token = last.access_token;
  const forged = recorded(`${token.slice(0, -8)}${'A'.repeat(8)}`);
  expect((await caller.request('GET', '/v1/users/me', { token: forged })).status).toBe(401);
  expect((await caller.request('GET', `/v1/tasks?token=${recorded(secret())}`, { token })).status).toBe(422);
  expect((await caller.request('GET', `/v1/nothing/${recorded(secret())}`, { token })).status).toBe(404);
  const made = await caller.request('POST', '/v1/tasks', { token, body: { title: 'x' } });
  recorded(made.headers['consistency-token'] ?? '');
  expect((await caller.request('GET', '/v1/users/me/export', { token })).status).toBe(200);
  expect((await post('logout', undefined, token)).status).toBe(204);
  const again = await logIn(email, third);
  const newEmail = recorded(newRegistration().email);
  const change = { current_password: third, new_email: newEmail };
  expect((await post('email/change', change, again.access_token)).status).toBe(202);
  const confirm = recorded(await waitForToken(newEmail, { subject: /confirm/i }, api.mailDir));
  expect((await post('email/confirm', { token: confirm })).status).toBe(204);
  expect((await post('logout-all', undefined, again.access_token)).status).toBe(204);
  const end = await logIn(newEmail, third);
  expect((await caller.request('DELETE', '/v1/users/me', { token: end.access_token })).status).toBe(204);
}

describe('the log at its most verbose level', () => {
  it('contains no password, token, key or address of any flow, not even of a failing one', async () => {
    await useEveryFlow();
    await redis.kill();
    await client(api.url).request('GET', '/v1/users/me');
    await waitFor(() => api.logs().includes('traces could not be sent'));
    expect(await api.stop()).toBe(0);
    const logs = api.logs();
    // Verifies that the log has that level and contains the calls.
    expect(logs).toContain('"level":"debug"');
    expect(logs).toContain('/v1/auth/password/reset');
    const secrets = [...seen].filter((value) => value !== '');
    expect(secrets.length).toBeGreaterThan(25);
    expect(
      secrets.filter((value) => logs.includes(value) || logs.includes(encodeURIComponent(value))),
    ).toEqual([]);
    for (const value of secrets) expect(logs).not.toContain(Buffer.from(value).toString('base64'));
  });
});
