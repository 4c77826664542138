import { createHmac, createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { client, type Client, type Session } from '../support/client.js';
import { listOperations, type Operation } from '../support/openapi.js';
import { expectProblem } from '../support/problem.js';

const operations = listOperations();
const label = ({ method, path }: Operation) => `${method} ${path}`;
const isGuarded = (operation: Operation) => !operation.isPublic;
const hasParameter = ({ path }: Operation) => path.includes('{');

let api: Client;
let owner: Session;
let stranger: Session;
/** One resource of the owner for each kind of path with a parameter. Add new kinds here. */
let owned: Readonly<Record<string, string>>;

beforeAll(async () => {
  api = client();
  [owner, stranger] = await Promise.all([api.registerAndLogin(), api.registerAndLogin()]);
  const task = await api.request<{ id: string }>('POST', '/v1/tasks', {
    token: owner.accessToken,
    body: { title: 'Mine' },
  });
  const sessions = await api.request<{ data: { id: string }[] }>('GET', '/v1/auth/sessions', {
    token: owner.accessToken,
  });
  owned = {
    '/v1/tasks/{id}': task.body.id,
    '/v1/tasks/{id}/restore': task.body.id,
    '/v1/auth/sessions/{id}': sessions.body.data[0]?.id ?? '',
  };
});
afterAll(() => api.close());

describe('every route with the id of another user’s resource', () => {
  it.each(operations.filter(hasParameter).map((o) => [label(o), o] as const))(
    '%s answers 404, as for a resource that does not exist',
    async (_, operation) => {
      const id = owned[operation.path];
      if (id === undefined)
        throw new Error(`This test must be told how to make what ${operation.path} names.`);
      const call = (thing: string) =>
        api.request(operation.method, operation.path.replace('{id}', thing), {
          token: stranger.accessToken,
          ...(operation.body !== null && { body: { title: 'Stolen' } }),
        });
      const [foreign, missing, malformed] = [
        await call(id),
        await call(randomUUID()),
        await call('not-an-id'),
      ];
      const problem = expectProblem(foreign, 404);
      expect(problem.code).toBe(expectProblem(missing, 404).code);
      expect(problem.code).toBe(expectProblem(malformed, 404).code);
    },
  );

  it('leaves the resource unchanged', async () => {
    const task = await api.request('GET', `/v1/tasks/${owned['/v1/tasks/{id}'] ?? ''}`, {
      token: owner.accessToken,
    });
    expect(task.body).toMatchObject({ title: 'Mine', version: 1 });
    const me = await api.request('GET', '/v1/users/me', { token: owner.accessToken });
    expect(me.status).toBe(200);
  });

  it('answers 404 in a bulk call too', async () => {
    const id = owned['/v1/tasks/{id}'];
    for (const operation of [
      { op: 'delete', id },
      { op: 'update', id, data: { title: 'Stolen' } },
    ]) {
      const answer = await api.request('POST', '/v1/tasks/bulk', {
        token: stranger.accessToken,
        body: { operations: [operation] },
      });
      expectProblem(answer, 404);
    }
  });
});

describe('every route that is not public', () => {
  const guarded = operations.filter(isGuarded);
  const call = ({ method, path, body }: Operation, token?: string) =>
    api.request(method, path.replace('{id}', randomUUID()), {
      ...(token !== undefined && { token }),
      ...(body !== null && { body: {} }),
    });

  it('includes most routes', () => {
    expect(guarded.length).toBeGreaterThan(12);
    expect(operations.filter((o) => o.isPublic).map(label)).toEqual([
      'GET /.well-known/jwks.json',
      'GET /healthz',
      'POST /v1/auth/email/confirm',
      'POST /v1/auth/login',
      'POST /v1/auth/password/forgot',
      'POST /v1/auth/password/reset',
      'POST /v1/auth/refresh',
      'POST /v1/auth/register',
      'POST /v1/auth/resend-verification',
      'POST /v1/auth/verify-email',
    ]);
  });

  it.each(guarded.map((o) => [label(o), o] as const))(
    '%s refuses a call without a token',
    async (_, operation) => {
      const answer = await call(operation);
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    },
  );

  it.each(guarded.map((o) => [label(o), o] as const))('%s refuses forged tokens', async (_, operation) => {
    for (const token of Object.values(forgeries(owner.accessToken)))
      expectProblem(await call(operation, token), 401);
  });
});

describe('every answer', () => {
  const call = ({ method, path, body }: Operation, { accessToken: token }: Session) =>
    api.request(method, path.replace('{id}', owned[path] ?? randomUUID()), {
      token,
      ...(body !== null && { body: {} }),
    });
  // Deleting the account or the session would leave nothing for the others.
  const harmless = operations.filter(
    ({ method, path }) => method === 'GET' || !/users\/me|logout/.test(path),
  );

  it.each(harmless.map((o) => [label(o), o] as const))(
    '%s is kept by no cache, or by that of its user alone',
    async (_, operation) => {
      const { status, headers } = await call(operation, owner);
      if (headers['cache-control']?.startsWith('public')) expect(operation.isPublic).toBe(true);
      else
        expect(headers['cache-control']).toBe(
          status < 300 && headers['etag'] ? 'private, no-cache' : 'no-store',
        );
      if (!operation.isPublic) expect(headers['vary']).toContain('authorization');
    },
  );

  const listed = operations.filter((o) => o.method === 'GET' && isGuarded(o) && !hasParameter(o));
  it.each(listed.map((o) => [label(o), o] as const))(
    '%s tells no user that the copy of another one is current',
    async (_, operation) => {
      // Two whose answers have the same bytes wherever they can have.
      const [a, b] = await Promise.all([api.registerAndLogin(), api.registerAndLogin()]);
      const { etag } = (await call(operation, a)).headers;
      if (etag === undefined) return;
      const answer = await api.request(operation.method, operation.path, {
        token: b.accessToken,
        headers: { 'if-none-match': etag },
      });
      expect([answer.status, answer.headers['etag'] === etag]).toEqual([200, false]);
    },
  );
});

/** Tokens that are valid except for one thing each. */
function forgeries(token: string): Record<string, string> {
  const { header, payload } = jwt.decode(token, { complete: true }) as {
    header: jwt.JwtHeader;
    payload: jwt.JwtPayload;
  };
  const [head = '', body = '', signature = ''] = token.split('.');
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const foreign = createPrivateKey(
    generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey,
  );
  const sign = (claims: object, more: object = {}) =>
    jwt.sign(claims, foreign, { algorithm: 'ES256', header: { ...header, ...more } });
  const hmac = (input: string) => createHmac('sha256', 'key').update(input).digest('base64url');
  const hs256 = `${encode({ ...header, alg: 'HS256' })}.${body}`;
  return {
    noAlgorithm: `${encode({ ...header, alg: 'none' })}.${body}.`,
    noSignature: `${head}.${body}.`,
    foreignKey: sign(payload),
    unknownKey: sign(payload, { kid: 'unknown' }),
    pathAsKey: sign(payload, { kid: '../../../etc/passwd' }),
    symmetric: `${hs256}.${hmac(hs256)}`,
    otherSubject: `${head}.${encode({ ...payload, sub: randomUUID(), role: 'admin' })}.${signature}`,
    noJson: `${encode({ ...header, typ: 'JWT' })}.${Buffer.from('no JSON').toString('base64url')}.${signature}`,
    garbage: 'a.b.c',
    long: 'x'.repeat(5000),
  };
}
