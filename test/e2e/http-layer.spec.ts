import { connect } from 'node:net';
import { once } from 'node:events';
import { client, type Client } from '../support/client.js';
import { expectProblem } from '../support/problem.js';

let api: Client;
beforeAll(() => {
  api = client();
});
afterAll(() => api.close());

describe('the HTTP layer', () => {
  it('refuses a query or a body where none is declared', async () => {
    const { accessToken: token } = await api.registerAndLogin();
    expectProblem(await api.request('GET', '/v1/users/me?x=1', { token }), 422, 'validation_failed');
    for (const raw of ['{"x":1}', '[]', '1']) {
      const options = { token, raw, headers: { 'content-type': 'application/json' } };
      expectProblem(await api.request('POST', '/v1/auth/logout', options), 422, 'validation_failed');
    }
    expect((await api.request('POST', '/v1/auth/logout', { token, body: {} })).status).toBe(204);
  });

  it('answers a health check whatever its query', async () => {
    expect((await api.request('GET', '/healthz?x=1')).status).toBe(200);
  });

  it('answers an unknown path with a 404 problem', async () => {
    expectProblem(await api.request('GET', '/v1/nothing'), 404, 'not_found');
  });

  it('answers a known path with the methods that it supports', async () => {
    for (const method of ['PUT', 'DELETE', 'TRACE', 'OPTIONS']) {
      const answer = await api.request(method, '/v1/auth/login');
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers['allow']).toBe('POST');
    }
  });

  it('does not treat a fixed path as an id', async () => {
    const answer = await api.request('PATCH', '/v1/tasks/bulk');
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers['allow']).toBe('POST');
  });

  it('answers a path with a segment that is too long with a 404 problem', async () => {
    const { accessToken: token } = await api.registerAndLogin();
    expectProblem(await api.request('DELETE', `/v1/auth/sessions/${'0'.repeat(300)}`, { token }), 404);
    expectProblem(await api.request('GET', `/v1/tasks/${'0'.repeat(9000)}`, { token }), 404);
  });

  it('answers a path that cannot be decoded with a 400 problem', async () => {
    expectProblem(await api.request('GET', '/v1/%zz'), 400);
  });

  it('echoes a harmless request id and replaces any other', async () => {
    const id = async (sent: string) =>
      (await api.request('GET', '/healthz', { headers: { 'x-request-id': sent } })).headers['x-request-id'];
    expect(await id('My.id_1-2')).toBe('My.id_1-2');
    for (const bad of ['a b', 'x'.repeat(129), '<script>', 'a,b'])
      expect(await id(bad)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('sends security headers with every response', async () => {
    for (const path of ['/healthz', '/v1/nothing', '/v1/tasks']) {
      const { headers } = await api.request('GET', path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'referrer-policy': 'no-referrer',
      });
    }
  });

  it('sends no CORS header if no origin is configured', async () => {
    const { headers } = await api.request('GET', '/healthz', { headers: { origin: 'https://evil.example' } });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each<[string, string, number]>([
    ['a broken header', 'GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 400],
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ...[
      'Host: x\r\nHost: x',
      'Host: a b',
      'Host: x/y',
      'Host: a,b',
      'Host:',
      'Host: [::1',
      'Host: x:port',
    ].map((lines): [string, string, number] => [
      `as host ${JSON.stringify(lines)}`,
      `GET /healthz HTTP/1.1\r\n${lines}\r\nConnection: close\r\n\r\n`,
      400,
    ]),
    ['HTTP/2.0', 'GET /healthz HTTP/2.0\r\nHost: x\r\nConnection: close\r\n\r\n', 505],
    ['HTTP/3.7', 'GET /healthz HTTP/3.7\r\nHost: x\r\nConnection: close\r\n\r\n', 505],
    ['HTTP/0.9', 'GET /healthz HTTP/0.9\r\nHost: x\r\nConnection: close\r\n\r\n', 505],
    ['the first bytes of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    [
      'a transfer coding that it does not read',
      'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
    ],
    [
      'an unsupported expectation',
      'POST / HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nContent-Length: 1\r\n\r\n1',
      417,
    ],
    ['a wish for a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['headers that are too large', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
    [
      'two different lengths',
      'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
      400,
    ],
    [
      'length and chunks at once',
      'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ])('answers %s with a problem and closes the connection', async (_, raw, status) => {
    const answer = await exchange(raw);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({
      status,
      code: expect.any(String),
      request_id: expect.any(String),
    });
  });

  it('keeps the connection of a request without a body whose head it refuses', async () => {
    const refused = 'GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n';
    const next = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answers = [...(await exchange(refused + next)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(
      ([, status]) => status,
    );
    expect(answers).toEqual(['400', '200']);
  });

  it('takes a target with a host, and believes none', async () => {
    const { accessToken } = await api.registerAndLogin();
    const call = async (target: string) => {
      const answer = await exchange(
        `GET ${target} HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${accessToken}\r\nConnection: close\r\n\r\n`,
      );
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      return { status: Number(head.split(' ')[1]), head, body };
    };
    const body = { operations: ['a', 'b'].map((title) => ({ op: 'create', data: { title } })) };
    await api.request('POST', '/v1/tasks/bulk', { token: accessToken, body });
    const list = await call('http://evil.example/v1/tasks?limit=1');
    expect(list.status).toBe(200);
    expect(list.head).toMatch(/^link: <\/v1\/tasks\?/m);
    expect(list.head).not.toContain('evil');
    const { data } = JSON.parse(list.body) as { data: { id: string }[] };
    const task = await call(`HTTPS://evil.example:99/v1/tasks/${data[0]?.id ?? ''}`);
    expect([task.status, (JSON.parse(task.body) as { id: string }).id]).toEqual([200, data[0]?.id]);
    expect((await call('http://evil.example')).status).toBe(404);
    expect((await call('ftp://evil.example/v1/tasks')).status).toBe(404);
  });

  it('does not look at the type of no content', async () => {
    const { accessToken: token } = await api.registerAndLogin();
    const headers = { 'content-type': 'text/plain' };
    const { body } = await api.request<{ id: string }>('POST', '/v1/tasks', { token, body: { title: 'a' } });
    expect((await api.request('DELETE', `/v1/tasks/${body.id}`, { token, headers })).status).toBe(204);
    expect((await api.request('POST', `/v1/tasks/${body.id}/restore`, { token, headers })).status).toBe(200);
    expectProblem(await api.request('POST', '/v1/tasks', { token, headers }), 400, 'body_required');
    expectProblem(await api.request('POST', '/v1/tasks', { token, headers, raw: 'x' }), 415);
  });

  it('refuses a compressed body, and says what it takes', async () => {
    const { accessToken: token } = await api.registerAndLogin();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const answer = await api.request('POST', '/v1/tasks', { token, headers, raw: '{"title":"a"}' });
    expectProblem(answer, 415, 'unsupported_content_encoding');
    expect(answer.headers['accept-encoding']).toBe('identity');
    headers['content-encoding'] = 'Identity';
    expect((await api.request('POST', '/v1/tasks', { token, headers, raw: '{"title":"a"}' })).status).toBe(
      201,
    );
  });

  it('finds nothing at an address with a slash at its end, whatever the method', async () => {
    const { accessToken: token } = await api.registerAndLogin();
    for (const method of ['PUT', 'POST', 'DELETE'])
      expectProblem(await api.request(method, '/v1/users/me/', { token }), 404, 'not_found');
    // An empty id names no task.
    for (const method of ['GET', 'PUT'])
      expectProblem(await api.request(method, '/v1/tasks/', { token }), 404);
  });

  it('serves the OpenAPI document, and a docs page that loads nothing from other hosts', async () => {
    const document = await api.request('GET', '/openapi.json');
    expect(document.body).toMatchObject({ openapi: '3.1.0' });
    const page = await api.request('GET', '/docs');
    for (const directive of ['base-uri', 'form-action', 'frame-ancestors'])
      expect(page.headers['content-security-policy']).toContain(`${directive} 'none'`);
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '');
    expect(assets.length).toBeGreaterThan(2);
    for (const asset of assets) {
      expect(asset).toMatch(/^\/docs\//);
      expect((await api.request('GET', asset)).status).toBe(200);
    }
  });
});

describe('the operations port', () => {
  const ops = () => client(process.env['TEST_OPS_URL'] ?? '');

  it('answers probes and metrics, only for GET', async () => {
    for (const path of ['/livez', '/readyz', '/startupz', '/metrics']) {
      expect((await ops().request('GET', path)).status).toBe(200);
      expect((await ops().request('POST', path)).status).toBe(405);
    }
    expect((await ops().request('GET', '/v1/tasks')).status).toBe(404);
  });

  it('gives up on a client that does not finish its headers', async () => {
    const { hostname, port } = new URL(ops().baseUrl);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined).resume();
    socket.write('GET /livez HTTP/1.1\r\n');
    await once(socket, 'close');
  }, 20_000);

  it('names routes by their templates, never by their paths', async () => {
    await api.request('GET', '/v1/tasks/01890a5d-ac96-774b-bcce-b302099a8057');
    await api.request('GET', '/v1/nowhere/at-all');
    const { text } = await ops().request('GET', '/metrics');
    expect(text).toContain('http_route="/v1/tasks/:id"');
    expect(text).toContain('http_route="unmatched"');
    expect(text).not.toContain('01890a5d');
    expect(text).not.toContain('at-all');
  });

  it('is not reachable through the public port', async () => {
    for (const path of ['/livez', '/readyz', '/startupz', '/metrics']) {
      expectProblem(await api.request('GET', path), 404);
    }
  });
});

async function exchange(raw: string): Promise<string> {
  const { hostname, port } = new URL(api.baseUrl);
  const socket = connect(Number(port), hostname).setEncoding('utf8').setTimeout(10_000);
  let answer = '';
  socket.on('data', (chunk: string) => (answer += chunk)).on('timeout', () => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(raw);
  await once(socket, 'close');
  return answer;
}
