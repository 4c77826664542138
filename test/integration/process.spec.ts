import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { Client as PostgresClient } from 'pg';
import { startApi, type Api, type ApiOptions } from '../support/api.js';
import { client, type ApiResponse } from '../support/client.js';
import { expectProblem } from '../support/problem.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

const running: Api[] = [];
const start = async (options: ApiOptions = {}) => {
  const api = await startApi(options);
  running.push(api);
  return api;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.kill()));
});

/** Holds the lock on a task in a transaction of its own until `release` is called. */
async function lockTask(api: Api, id: string): Promise<{ release: () => Promise<void> }> {
  const holder = new PostgresClient({ connectionString: api.databaseUrl });
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM tasks.tasks WHERE id = $1 FOR UPDATE', [id]);
  return { release: () => holder.end() };
}

async function makeTask(api: Api) {
  const caller = client(api.url);
  const { accessToken: token } = await caller.registerAndLogin();
  const { body } = await caller.request<{ id: string }>('POST', '/v1/tasks', {
    token,
    body: { title: 'Locked' },
  });
  const patch = (): Promise<ApiResponse> =>
    caller.request('PATCH', `/v1/tasks/${body.id}`, { token, body: { title: 'Patched' } });
  const get = () => caller.request('GET', `/v1/tasks/${body.id}`, { token });
  return { id: body.id, token, patch, get, caller };
}

const blockedSessions = async (api: Api) => {
  const rows = await runSql(
    api.databaseUrl,
    `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
  );
  return rows.length > 0;
};

describe('the process', () => {
  it('refuses to start on a configuration with problems, and lists all of them', async () => {
    const api = await start({
      waitUntilReady: false,
      env: {
        ...{ PORT: '70000', DATABASE_URL: 'mysql://user:hunter2@db/x', LOG_LEVEL: 'loud' },
        TRUSTED_PROXIES: 'nonsense',
      },
    });
    expect(await api.exited()).toBe(78);
    expect(api.logs()).toMatch(/4 problem\(s\)[^]*DATABASE_URL[^]*LOG_LEVEL[^]*PORT[^]*TRUSTED_PROXIES/);
    expect(api.logs()).not.toContain('hunter2');
  });

  it('refuses embedded drivers and loopback addresses in production', async () => {
    const api = await start({
      waitUntilReady: false,
      env: { NODE_ENV: 'production', DATABASE_URL: undefined, PUBLIC_URL: undefined },
    });
    expect(await api.exited()).toBe(78);
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'PUBLIC_URL', 'JWT_KEYS_DIR']) {
      expect(api.logs()).toContain(`${name}: is needed in production`);
    }
  });

  it('requires a sender address in production with a mail server', async () => {
    const real = { SMTP_URL: 'smtp://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1', JWT_KEYS_DIR: tmpdir() };
    const api = await start({ waitUntilReady: false, env: { NODE_ENV: 'production', ...real } });
    expect(await api.exited()).toBe(78);
    expect(api.logs()).toMatch(
      /2 problem\(s\):\s+- CONSISTENCY_TOKEN_KEY: is needed.*\s+- MAIL_FROM: is needed/,
    );
  });

  it('uses its own port as the issuer of tokens unless a public URL is configured', async () => {
    const api = await start({ env: { PUBLIC_URL: undefined } });
    const { accessToken } = await client(api.url).registerAndLogin();
    const port = new URL(api.url).port;
    expect(jwt.decode(accessToken)).toMatchObject({ iss: `http://localhost:${port}` });
    const me = await client(api.url).request('GET', '/v1/users/me', { token: accessToken });
    expect(me.status).toBe(200);
  });

  it('ends if its port is taken, and if it has no signing key', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    const second = await start({ waitUntilReady: false, databaseUrl: first.databaseUrl, port });
    expect(await second.exited()).toBe(1);
    expect(second.logs()).toContain('EADDRINUSE');
    const keyless = await start({ waitUntilReady: false, env: { JWT_KEYS_DIR: first.mailDir } });
    expect(await keyless.exited()).toBe(1);
    expect(keyless.logs()).toContain('no P-256 private key');
    expect((await client(first.url).request('GET', '/healthz')).status).toBe(200);
  });

  it('is alive but not ready while its database is down', async () => {
    const api = await start({
      waitUntilReady: false,
      databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing',
    });
    const ops = client(api.opsUrl);
    await waitFor(() => ops.request('GET', '/livez').then(({ status }) => status === 200));
    expect((await ops.request('GET', '/startupz')).status).toBe(503);
    expect((await ops.request('GET', '/readyz')).status).toBe(503);
  });

  it.each([
    ['its database', { databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing' }, 'waiting for the database'],
    ['migrations', { env: { MIGRATE_ON_START: 'false' } }, 'waiting for migrations'],
  ])('stops on a signal while it waits for %s', async (_, options, words) => {
    const api = await start({ ...options, waitUntilReady: false });
    await waitFor(() => api.logs().includes(words));
    expect(await api.stop('SIGTERM')).toBe(0);
    expect(api.logs()).toContain('stopped before it had started');
  });

  it('reports by its exit code that a command was stopped before its end', async () => {
    const databaseUrl = 'postgres://nobody@127.0.0.1:1/nothing';
    const migration = await start({ app: 'migrate', databaseUrl, waitUntilReady: false });
    await waitFor(() => migration.logs().includes('waiting for the database'));
    expect(await migration.stop('SIGTERM')).toBe(143);
  });

  it('answers requests in flight before it ends, and announces that it stops', async () => {
    const api = await start({ env: { STOP_DELAY_MS: '500' } });
    const task = await makeTask(api);
    const lock = await lockTask(api, task.id);
    const pending = task.patch();
    await waitFor(() => blockedSessions(api));
    const exit = api.stop('SIGTERM');
    const ops = client(api.opsUrl);
    await waitFor(() => ops.request('GET', '/readyz').then(({ status }) => status === 503));
    expect((await ops.request('GET', '/livez')).status).toBe(200);
    expectProblem(await task.caller.request('GET', '/healthz'), 503, 'stopping');
    // The port is closed, but requests in flight are not aborted.
    await waitFor(() =>
      fetch(`${api.url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    await lock.release();
    const { status, body, headers } = await pending;
    expect([status, body['title'], headers['connection']]).toEqual([200, 'Patched', 'close']);
    expect(await exit).toBe(0);
    expect(api.logs()).toContain('"stopped"');
  });

  it('does not wait for connections without a request or with an incomplete one', async () => {
    const api = await start({ env: { STOP_TIMEOUT_MS: '20000' } });
    const { hostname, port } = new URL(api.url);
    const silent = connect(Number(port), hostname);
    const half = connect(Number(port), hostname, () => half.write('GET /healthz HTTP/1.1\r\nHost'));
    await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
    // A connection that was answered and that the client keeps open.
    await client(api.url).request('GET', '/healthz');
    const closed = Promise.all(
      [silent, half].map((socket) =>
        once(
          socket.on('error', () => undefined),
          'close',
        ),
      ),
    );
    expect(await api.stop('SIGTERM')).toBe(0);
    await closed;
  });

  it('loses no request of clients that keep their connections busy', async () => {
    const api = await start();
    const outcomes: string[] = [];
    const work = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let isOpen = true; isOpen;) {
        const outcome = await ask(`${api.url}/healthz`, agent);
        outcomes.push(outcome);
        isOpen = outcome === '200' || outcome === '503';
      }
      agent.destroy();
    };
    const workers = Array.from({ length: 20 }, work);
    await waitFor(() => outcomes.length > 500);
    expect(await api.stop('SIGTERM')).toBe(0);
    await Promise.all(workers);
    // A connection that is opened after the port is closed is refused, or reset by the kernel if it was in the backlog.
    const after = ['ECONNREFUSED on a new connection', 'ECONNRESET on a new connection'];
    expect(outcomes.filter((outcome) => !['200', '503', ...after].includes(outcome))).toEqual([]);
  });

  it('ends even if draining takes too long', async () => {
    const api = await start({ env: { STOP_TIMEOUT_MS: '1000' } });
    const task = await makeTask(api);
    const lock = await lockTask(api, task.id);
    const pending = task.patch().catch((error: unknown) => error);
    await waitFor(() => blockedSessions(api));
    expect(await api.stop('SIGTERM')).toBe(1);
    await lock.release();
    expect(await pending).toMatchObject({ code: 'ECONNRESET' });
  });

  it('aborts a statement that takes too long with a 503 problem, and without any effect', async () => {
    const api = await start({ env: { DATABASE_STATEMENT_TIMEOUT_MS: '300' } });
    const task = await makeTask(api);
    const lock = await lockTask(api, task.id);
    const answer = await task.patch();
    expectProblem(answer, 503, 'database_unavailable');
    expect(answer.headers['retry-after']).toBe('1');
    await lock.release();
    expect((await task.get()).body).toMatchObject({ title: 'Locked', version: 1 });
  });

  it('aborts a handler that takes too long with a 503 problem', async () => {
    const api = await start({ env: { HANDLER_TIMEOUT_MS: '2000' } });
    const task = await makeTask(api);
    const lock = await lockTask(api, task.id);
    expectProblem(await task.patch(), 503, 'timeout');
    await lock.release();
  });

  it.each([
    ['headers', 'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\n'],
    [
      'body',
      'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
    ],
  ])('aborts a request whose %s do not arrive with a 408 problem', async (_, raw) => {
    const api = await start({ env: { REQUEST_TIMEOUT_MS: '400' } });
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.write(raw);
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('application/problem+json');
  });

  it('allows the configured origins, and no others', async () => {
    const api = await start({ env: { CORS_ORIGINS: 'https://app.example' } });
    const caller = client(api.url);
    const ask = (origin: string) =>
      caller.request('OPTIONS', '/v1/tasks', {
        headers: { origin, 'access-control-request-method': 'PATCH' },
      });
    expect((await ask('https://app.example')).headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': expect.stringContaining('PATCH'),
    });
    expect((await ask('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('exposes every response header to scripts of other origins', async () => {
    const caller = client((await start({ env: { CORS_ORIGINS: '*' } })).url);
    const { headers } = await caller.request('GET', '/healthz', {
      headers: { origin: 'https://app.example' },
    });
    expect(headers['access-control-expose-headers']?.split(', ').sort()).toEqual([
      ...['Accept-Patch', 'Allow', 'Consistency-Level', 'Consistency-Token', 'ETag', 'Idempotency-Replayed'],
      ...['Link', 'Location'],
      ...['RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'],
    ]);
  });

  it.each(['*', 'https://app.example'])(
    'distinguishes unknown paths from unsupported methods, with origins: %s',
    async (origins) => {
      const caller = client((await start({ env: { CORS_ORIGINS: origins } })).url);
      expectProblem(await caller.request('GET', '/v1/nothing'), 404, 'not_found');
      const headers = { origin: 'https://app.example' };
      expectProblem(await caller.request('POST', '/v1/nothing', { headers }), 404, 'not_found');
      const answer = await caller.request('PUT', '/v1/auth/login', { headers });
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers['allow']).toBe('POST');
      expect((await caller.request('OPTIONS', '/v1/nothing', { headers })).status).toBe(204);
    },
  );

  it('accepts X-Forwarded-For only from trusted proxies', async () => {
    const ipOf = async (api: Api) => {
      const caller = client(api.url);
      const { email, password } = await caller.registerAndLogin();
      const { body } = await caller.request<{ access_token: string }>('POST', '/v1/auth/login', {
        body: { email, password },
        headers: { 'x-forwarded-for': '203.0.113.9' },
      });
      const sessions = await caller.request<{ data: { ip: string }[] }>('GET', '/v1/auth/sessions', {
        token: body.access_token,
      });
      return sessions.body.data[0]?.ip;
    };
    expect(await ipOf(await start())).toBe('127.0.0.1');
    expect(await ipOf(await start({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } }))).toBe('203.0.113.9');
  });

  it('stores times correctly, whatever the time zone of its machine', async () => {
    const caller = client((await start({ env: { TZ: 'Europe/Berlin' } })).url);
    const { accessToken: token } = await caller.registerAndLogin();
    for (const due_at of [
      '0001-01-01T00:00:00.000Z',
      '1880-06-01T00:00:00.000Z',
      '2026-03-29T01:30:00.000Z',
    ]) {
      const made = await caller.request('POST', '/v1/tasks', { token, body: { title: 'Due', due_at } });
      const found = await caller.request('GET', made.headers['location'] ?? '', { token });
      expect([made.body['due_at'], found.body['due_at']]).toEqual([due_at, due_at]);
      const query = `due_after=${due_at}&due_before=${due_at.replace('000Z', '001Z')}`;
      const { body } = await caller.request<{ data: unknown[] }>('GET', `/v1/tasks?${query}`, { token });
      expect(body.data).toHaveLength(1);
    }
  });

  it('logs one line per request, with its id and user, and never a secret', async () => {
    const api = await start();
    const caller = client(api.url);
    const { accessToken, refreshToken, password, email, userId } = await caller.registerAndLogin();
    await caller.request('GET', '/v1/users/me', {
      token: accessToken,
      headers: { 'x-request-id': 'find-me' },
    });
    await caller.request('POST', '/v1/auth/refresh', { body: { refresh_token: refreshToken } });
    await caller.request('POST', '/v1/auth/login', { body: { email, password: `${password}-wrong` } });
    await waitFor(() => api.logs().includes('/v1/auth/refresh'));
    const lines = api
      .logs()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const found = lines.filter((line) => line['request_id'] === 'find-me');
    expect(found).toEqual([
      expect.objectContaining({
        method: 'GET',
        route: '/v1/users/me',
        status: 200,
        user_id: userId,
        duration_ms: expect.any(Number),
      }),
    ]);
    for (const secret of [accessToken, refreshToken, password, email])
      expect(api.logs()).not.toContain(secret);
  });
});

describe('the embedded drivers', () => {
  it('leave no Postgres behind when a signal comes while it starts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'task-api-data-'));
    const postmaster = join(folder, 'postgres', 'cluster', 'data', 'postmaster.pid');
    try {
      const api = await start({ waitUntilReady: false, env: { DATABASE_URL: undefined, DATA_DIR: folder } });
      await waitFor(() => readFile(postmaster), { timeoutMs: 30_000, intervalMs: 5 });
      expect(await api.stop('SIGINT')).toBe(0);
      expect(api.logs()).not.toContain('"serving"');
      await expect(readFile(postmaster)).rejects.toThrow('ENOENT');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);

  it('start without any configuration, and lose nothing by kill -9 and a second start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'task-api-data-'));
    const embedded = {
      env: { DATABASE_URL: undefined, MAIL_DIR: undefined, MIGRATE_ON_START: undefined, DATA_DIR: folder },
    };
    try {
      const first = await start(embedded);
      const caller = client(first.url);
      const { email, password } = await caller.registerAndLogin();
      await waitFor(async () => (await readdir(join(folder, 'mail')).catch(() => [])).length > 0);
      await first.kill();
      const second = await start(embedded);
      await client(second.url).login(email, password);
      expect(await second.stop('SIGINT')).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

/** The status of the response, or the error code and the kind of connection: on an open connection, a request was lost. */
function ask(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent }, (response) => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      resolve(`${error.code ?? error.message} on ${request.reusedSocket ? 'an open' : 'a new'} connection`);
    });
  });
}
