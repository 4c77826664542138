import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { startApi, type Api } from '../support/api.js';
import { client, type Client, type Session } from '../support/client.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { expectProblem } from '../support/problem.js';
import { waitFor } from '../support/wait.js';

interface Jwks {
  readonly keys: readonly {
    readonly kid: string;
    readonly alg: string;
    readonly use: string;
    readonly d?: string;
  }[];
}

let directory: string;
let key: KeyObject;
/** A separate process with known keys and a short grace period. */
let server: Api;
/** True if the suites run on another deployment whose database is not configured. */
let postgres: TestPostgres | null = null;
let api: Client;
let user: Session;

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const store = (kid: string, privateKey: KeyObject) =>
  writeFile(join(directory, `${kid}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));

describe('tokens', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'auth-keys-'));
    key = newKey();
    await store('2026-01-01', key);
    if (process.env['TEST_DATABASE_ADMIN_URL'] === undefined) postgres = await startPostgres();
    server = await startApi({
      ...(postgres !== null && { databaseUrl: postgres.url }),
      env: { JWT_KEYS_DIR: directory, JWT_KEY_PUBLISH_SECONDS: '1', REFRESH_GRACE_SECONDS: '1' },
    });
    api = client(server.url);
    user = await api.registerAndLogin();
  }, 60_000);
  afterAll(async () => {
    api.close();
    await server.stop();
    await postgres?.stop();
    await rm(directory, { recursive: true });
  });

  const readProfile = (token: string) => api.request('GET', '/v1/users/me', { token });
  const refresh = (token: string) =>
    api.request<{ access_token: string; refresh_token: string }>('POST', '/v1/auth/refresh', {
      body: { refresh_token: token },
    });
  const readKeys = async () => (await api.request<Jwks>('GET', '/.well-known/jwks.json')).body.keys;
  const kidOf = (token: string) => jwt.decode(token, { complete: true })?.header.kid;

  /** The claims of the user's real token, changed and signed again. */
  function forge(
    changes: jwt.JwtPayload,
    header: Partial<jwt.JwtHeader> = {},
    signingKey: KeyObject = key,
  ): string {
    const claims = jwt.decode(user.accessToken, { json: true });
    return jwt.sign({ ...claims, ...changes }, signingKey, {
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: 'at+jwt', kid: '2026-01-01', ...header },
    });
  }

  describe('an access token', () => {
    it('can be verified by anybody with the published keys, which are public keys', async () => {
      const [published] = await readKeys();
      expect(published).toEqual({
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: '2026-01-01',
        alg: 'ES256',
        use: 'sig',
      });
      const publicKey = createPublicKey({ key: { ...published }, format: 'jwk' });
      const { header, payload } = jwt.verify(user.accessToken, publicKey, {
        algorithms: ['ES256'],
        issuer: server.url,
        audience: 'task-api',
        complete: true,
      });
      expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: '2026-01-01' });
      expect(payload).toMatchObject({
        sub: user.userId,
        role: 'user',
        tier: 'free',
        auth_time: expect.any(Number),
      });
    });

    it('works unchanged', async () => {
      expect((await readProfile(forge({}))).status).toBe(200);
    });

    const past = Math.floor(Date.now() / 1000) - 3600;
    it.each<[string, () => string]>([
      ['is signed by another key', () => forge({}, {}, newKey())],
      ['is signed by a key of another name', () => forge({}, { kid: '2026-01-02' })],
      [
        'has no kid',
        () => jwt.sign(jwt.decode(user.accessToken, { json: true }) ?? {}, key, { algorithm: 'ES256' }),
      ],
      ['has another type', () => forge({}, { typ: 'JWT' })],
      ['is not signed', () => unsigned('none')],
      ['is signed by the public key as a secret', () => unsigned('HS256')],
      [
        'was changed after it was signed',
        () => user.accessToken.replace(/\.[^.]+\./, `.${encode({ role: 'admin' })}.`),
      ],
      ['has expired', () => forge({ exp: past })],
      ['is for another audience', () => forge({ aud: 'another-api' })],
      ['is by another issuer', () => forge({ iss: 'https://example.com' })],
      ['names no session', () => forge({ sid: undefined })],
      ["names another user's session", () => forge({ sub: '0190aaaa-0000-7000-8000-000000000000' })],
      ['claims a role that there is not', () => forge({ role: 'root' })],
      ['is no token at all', () => 'abc'],
    ])('that %s is refused', async (_, token) => {
      const answer = await readProfile(token());
      expectProblem(answer, 401, 'invalid_token');
      expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    });

    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    function unsigned(alg: 'none' | 'HS256'): string {
      const [, payload = ''] = user.accessToken.split('.');
      const head = `${encode({ alg, typ: 'at+jwt', kid: '2026-01-01' })}.${payload}`;
      if (alg === 'none') return `${head}.`;
      const secret = createPublicKey(key).export({ type: 'spki', format: 'pem' });
      return jwt.sign(Buffer.from(payload, 'base64url').toString(), secret, {
        algorithm: 'HS256',
        header: { alg, typ: 'at+jwt', kid: '2026-01-01' },
      });
    }
  });

  describe('a refresh token', () => {
    it('that is reused after the grace period ends its whole family', async () => {
      const thief = await api.login(user.email, user.password);
      const { body: next } = await refresh(thief.refreshToken);
      expectProblem(await refresh(thief.refreshToken), 409, 'refresh_superseded');
      expect((await readProfile(next.access_token)).status).toBe(200);
      const late = await waitFor(
        async () => {
          const answer = await refresh(thief.refreshToken);
          return answer.status === 409 ? null : answer;
        },
        { intervalMs: 200, what: 'the end of the grace' },
      );
      expectProblem(late, 401, 'token_reused');
      expectProblem(await readProfile(next.access_token), 401, 'invalid_token');
      expectProblem(await refresh(next.refresh_token), 401, 'invalid_refresh_token');
      expect((await readProfile(user.accessToken)).status).toBe(200);
    });
  });

  // Last: it changes the key with which the tests above forge tokens.
  describe('a new signing key', () => {
    it('is used without a restart, and tokens of the old key stay valid after its file was removed', async () => {
      await store('2026-02-01', newKey());
      const fresh = await waitFor(
        async () => {
          const { accessToken } = await api.login(user.email, user.password);
          return kidOf(accessToken) === '2026-02-01' ? accessToken : null;
        },
        { timeoutMs: 20_000, intervalMs: 500, what: 'a token by the new key' },
      );
      await rm(join(directory, '2026-01-01.pem'));
      for (const token of [user.accessToken, fresh]) expect((await readProfile(token)).status).toBe(200);
      expect((await readKeys()).map(({ kid }) => kid).sort()).toEqual(['2026-01-01', '2026-02-01']);
    });
  });
});
