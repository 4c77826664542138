import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { startApi, type Api } from '../support/api.js';
import { client, type ApiRequest, type ApiResponse, type Client } from '../support/client.js';
import { expectProblem } from '../support/problem.js';

const points = 12;
const json = { 'content-type': 'application/json' };

let api: Api;
let caller: Client;
beforeEach(async () => {
  api = await startApi({
    env: { RATE_LIMIT_FREE_POINTS: String(points), RATE_LIMIT_ANONYMOUS_POINTS: '100', CORS_ORIGINS: '*' },
  });
  caller = client(api.url);
});
afterEach(async () => {
  caller.close();
  await api.kill();
});

const leftOf = ({ headers }: ApiResponse): number =>
  Number(/"(?:user|ip)";r=(\d+)/.exec(headers['ratelimit'] ?? '')?.[1]);

describe('a call is counted before its body is read', () => {
  it.each<[string, string, string, ApiRequest, number]>([
    ['a body that is no JSON', 'POST', '/v1/tasks', { raw: '{', headers: json }, 400],
    [
      'a body of another type',
      'POST',
      '/v1/tasks',
      { raw: 'x', headers: { 'content-type': 'text/plain' } },
      415,
    ],
    [
      'a body that is too large',
      'POST',
      '/v1/tasks',
      { raw: 'x'.repeat(1024 * 1024 + 1), headers: json },
      413,
    ],
    ['a body with invalid fields', 'POST', '/v1/tasks', { body: { title: '' } }, 422],
    ['an address that names nothing', 'GET', '/v1/nothing', {}, 404],
    ['an address with another method', 'PUT', '/v1/tasks', { body: {} }, 405],
    ['a method that only an address with a parameter has', 'PATCH', '/v1/tasks/bulk', { body: {} }, 405],
    ['an unknown query parameter', 'GET', '/v1/tasks?x=1', {}, 422],
    ['a HEAD request', 'HEAD', '/v1/tasks', {}, 200],
  ])('%s costs one point', async (_, method, path, options, status) => {
    const { accessToken: token } = await caller.registerAndLogin();
    const first = await caller.request('GET', '/v1/tasks', { token });
    expect(leftOf(first)).toBe(points - 1);
    const refused = await caller.request(method, path, { token, ...options });
    expect(refused.status).toBe(status);
    expect(leftOf(refused)).toBe(points - 2);
    expect(leftOf(await caller.request('GET', '/v1/tasks', { token }))).toBe(points - 3);
  });

  it('refuses callers over the limit with 429, whatever the body or the path', async () => {
    const { accessToken: token } = await caller.registerAndLogin();
    for (let n = 0; n < points; n++) await caller.request('GET', '/v1/nothing', { token });
    const refused = [
      await caller.request('POST', '/v1/tasks', { token, raw: '{', headers: json }),
      await caller.request('GET', '/v1/nothing', { token }),
      await caller.request('PUT', '/v1/tasks', { token, body: {} }),
      await caller.request('PATCH', `/v1/tasks/${randomUUID()}`, { token, body: { title: 'x' } }),
    ];
    for (const answer of refused) expectProblem(answer, 429, 'rate_limited');
  });

  it('answers before a long body has arrived, does not read it, and closes the connection', async () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    socket.on('error', () => undefined);
    let [answer, left] = ['', 0];
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => (left = socket.writableLength));
    const length = 64 * 1024 * 1024;
    socket.write(`POST /v1/auth/login HTTP/1.1\r\nHost: x\r\n`);
    socket.write(`Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`);
    const body = Buffer.alloc(length, 'x');
    socket.write(body);
    await new Promise((resolve) => socket.once('close', resolve));
    const [head = '', text = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 413 /);
    expect(head.toLowerCase()).toContain('connection: close');
    expect(JSON.parse(text)).toMatchObject({ code: 'payload_too_large' });
    // What no system's buffers hold was never taken.
    expect(left).toBeGreaterThan(length / 2);
  });

  it('counts the total cost of a bulk call, and refuses it if too few points are left', async () => {
    const { accessToken: token } = await caller.registerAndLogin();
    const bulk = (operations: number) => {
      const operation = { op: 'create', data: { title: 'x' } };
      const body = { operations: Array.from({ length: operations }, () => operation) };
      return caller.request('POST', '/v1/tasks/bulk', { token, body });
    };
    const done = await bulk(5);
    expect(done.status).toBe(200);
    expect(leftOf(done)).toBe(points - 5);
    expectProblem(await bulk(points), 429, 'rate_limited');
  });

  it('counts requests for the docs against the address, but no preflight requests', async () => {
    const from = async (path: string) => caller.request('GET', path);
    const before = leftOf(await from('/.well-known/jwks.json'));
    for (const path of ['/docs', '/openapi.json', '/docs/swagger-ui.css', '/docs/start.js']) {
      const page = await from(path);
      expect(page.status).toBe(200);
      expect(page.headers['cache-control']).toMatch(/^public, max-age=\d+$/);
    }
    const preflight = await caller.request('OPTIONS', '/v1/tasks', {
      headers: { origin: 'https://example.com', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(leftOf(await from('/.well-known/jwks.json'))).toBe(before - 5);
  });

  it('answers 304 for a document that the client already has', async () => {
    const { headers } = await caller.request('GET', '/openapi.json');
    const again = await caller.request('GET', '/openapi.json', {
      headers: { 'if-none-match': headers['etag'] ?? '' },
    });
    expect(again.status).toBe(304);
    expect(again.text).toBe('');
  });

  it('never counts health checks of a load balancer', async () => {
    const { headers, status } = await caller.request('GET', '/healthz');
    expect(status).toBe(200);
    expect(headers['ratelimit']).toBeUndefined();
  });
});
