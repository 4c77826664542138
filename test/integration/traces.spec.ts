import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import { Client as Postgres } from 'pg';
import { startApi, type Api, type ApiOptions } from '../support/api.js';
import { client, newRegistration } from '../support/client.js';
import { loadedTelemetry, tellTelemetryLoads } from '../support/loaded-telemetry.js';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);

let receiver: OtlpReceiver;
let redis: TestRedis;
const apis: Api[] = [];
beforeAll(async () => {
  redis = await startRedis({ shared: true });
});
afterAll(() => redis.stop());
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  await Promise.all(apis.splice(0).map((api) => api.kill()));
  await receiver.stop();
});

async function start(env: ApiOptions['env'] = {}): Promise<Api> {
  const api = await startApi({
    env: {
      REDIS_URL: redis.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      ...env,
    },
  });
  apis.push(api);
  return api;
}

/** The trace of a caller: its ids and its header. */
function callerTrace(flags: '00' | '01' = '01') {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}` } };
}

const isServer = ({ kind }: ReceivedSpan) => kind === 'server';
const childrenOf = ({ spanId }: ReceivedSpan) =>
  receiver.spans.filter((span) => span.parentSpanId === spanId);

describe('traces', () => {
  it('reach the receiver with its headers, and name a request by its route, within the trace of its caller', async () => {
    const api = await start({
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret%20key,x-team=tasks',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    const caller = client(api.url);
    const { accessToken: token } = await caller.registerAndLogin();
    const { headers } = await caller.request('POST', '/v1/tasks', { token, body: { title: 'Traced' } });
    const trace = callerTrace();
    const path = headers['location'] ?? '';
    await caller.request('GET', path, { token, headers: trace.headers });

    const [span, ...others] = await receiver.find(
      (each) => isServer(each) && each.traceId === trace.traceId,
      'of the request',
    );
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      name: 'GET /v1/tasks/:id',
      parentSpanId: trace.spanId,
      isError: false,
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/v1/tasks/:id',
        'http.response.status_code': 200,
        'url.path': path,
        'url.scheme': 'http',
      },
      resource: { 'service.name': 'task-api', 'deployment.environment.name': 'test' },
    });
    expect(receiver.requests[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'api-key': 'secret key', 'x-team': 'tasks', 'content-type': 'application/x-protobuf' },
    });
    expect(api.logs()).not.toContain('secret key');
    expect(api.logs()).not.toContain('secret%20key');
  });

  it('show the statements and commands of a request, without any values', async () => {
    const api = await start();
    const caller = client(api.url);
    const { accessToken: token, userId } = await caller.registerAndLogin();
    const trace = callerTrace();
    const title = 'A title that nobody else may read';
    await caller.request('POST', '/v1/tasks', { token, headers: trace.headers, body: { title } });

    const [server] = await receiver.find(
      (each) => isServer(each) && each.traceId === trace.traceId,
      'of the request',
    );
    expect(server.attributes).toMatchObject({ 'http.route': '/v1/tasks', 'http.response.status_code': 201 });
    const children = childrenOf(server);
    const { hostname, port, pathname } = new URL(api.databaseUrl);
    expect(children).toContainEqual(
      expect.objectContaining({
        name: 'INSERT tasks.tasks',
        kind: 'client',
        attributes: {
          'db.system.name': 'postgresql',
          'db.namespace': pathname.slice(1),
          'db.operation.name': 'INSERT',
          'db.query.summary': 'INSERT tasks.tasks',
          'server.address': hostname,
          'server.port': Number(port),
        },
      }),
    );
    // The session is looked for in Redis first where caches are in use already. The statement commits by itself.
    const written = ['INSERT tasks.tasks', 'EVALSHA consistencyFinish'];
    expect([
      ['EVALSHA consistencyBegin', 'SELECT auth.sessions', ...written],
      ['EVALSHA consistencyBegin', 'GET', 'SELECT auth.sessions', 'SET', ...written],
    ]).toContainEqual(children.map(({ name }) => name));
    expect(children).toContainEqual(
      expect.objectContaining({
        name: 'EVALSHA consistencyBegin',
        kind: 'client',
        attributes: {
          'db.system.name': 'redis',
          'db.namespace': '0',
          'db.operation.name': 'EVALSHA',
          'db.stored_procedure.name': 'consistencyBegin',
          'server.address': '127.0.0.1',
          'server.port': redis.port,
        },
      }),
    );
    const told = JSON.stringify(receiver.spans);
    for (const value of [title, userId, token]) expect(told).not.toContain(value);
  });

  it('continue where an event of the request is handled', async () => {
    const api = await start();
    const trace = callerTrace();
    await client(api.url).request('POST', '/v1/auth/register', {
      headers: trace.headers,
      body: newRegistration(),
    });
    const [server] = await receiver.find(
      (each) => isServer(each) && each.traceId === trace.traceId,
      'of the request',
    );
    const [handling] = await receiver.find(({ kind }) => kind === 'consumer', 'of an event');
    expect(handling).toMatchObject({ traceId: trace.traceId, parentSpanId: server.spanId, isError: false });
    expect(handling.name).toMatch(/^process [a-z_.]+$/);
    await receiver.find(
      (each) => each.parentSpanId === handling.spanId,
      'of what the handling asked of Postgres',
    );
  });

  it('are named in the log line of the request and in all other lines that it logs', async () => {
    const api = await start();
    const trace = callerTrace();
    await client(api.url).request('GET', '/v1/users/me', { headers: trace.headers });
    const [span] = await receiver.find(
      (each) => isServer(each) && each.traceId === trace.traceId,
      'of the request',
    );
    await waitFor(() => api.logs().includes(trace.traceId));
    const line = api
      .logs()
      .split('\n')
      .find((each) => each.includes(trace.traceId));
    expect(JSON.parse(line ?? '')).toMatchObject({
      msg: 'request',
      route: '/v1/users/me',
      status: 401,
      outcome: 'client_error',
      trace_id: trace.traceId,
      span_id: span.spanId,
      request_id: expect.any(String),
    });
  });

  it('mark a 5xx as an error, and have no route for an unknown path', async () => {
    const api = await start({ DATABASE_STATEMENT_TIMEOUT_MS: '300' });
    const caller = client(api.url);
    const { accessToken: token } = await caller.registerAndLogin();
    const { headers } = await caller.request('POST', '/v1/tasks', { token, body: { title: 'Locked' } });
    const other = new Postgres({ connectionString: api.databaseUrl });
    await other.connect();
    await other.query('BEGIN; SELECT * FROM tasks.tasks FOR UPDATE');
    await caller.request('PATCH', headers['location'] ?? '', { token, body: { title: 'x' } });
    await other.end();
    const [patch] = await receiver.find((each) => each.name === 'PATCH /v1/tasks/:id', 'of the PATCH');
    expect(patch).toMatchObject({
      isError: true,
      attributes: { 'http.response.status_code': 503, 'error.type': '503' },
    });
    expect(childrenOf(patch)).toContainEqual(
      expect.objectContaining({
        isError: true,
        attributes: expect.objectContaining({ 'db.response.status_code': '57014', 'error.type': '57014' }),
      }),
    );

    await caller.request('GET', '/v1/nothing/secret?token=secret');
    const [lost] = await receiver.find(
      ({ kind, name }) => kind === 'server' && name === 'GET',
      'of the unknown address',
    );
    expect(lost).toMatchObject({ isError: false, attributes: { 'http.response.status_code': 404 } });
    expect(JSON.stringify(lost)).not.toMatch(/secret|http\.route/);
  });

  it('are sampled by the sampler or as the caller decided', async () => {
    const api = await start({
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    const caller = client(api.url);
    await caller.registerAndLogin();
    const [unwanted, wanted] = [callerTrace('00'), callerTrace('01')];
    await caller.request('GET', '/v1/users/me', { headers: unwanted.headers });
    await caller.request('GET', '/v1/users/me', { headers: wanted.headers });
    await receiver.find((each) => each.traceId === wanted.traceId, 'that the caller wanted');
    expect(await api.stop()).toBe(0);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([wanted.traceId]));
    // A trace that is not sampled is not named either.
    expect(api.logs().match(/"trace_id":"(\w+)"/g)).toEqual([`"trace_id":"${wanted.traceId}"`]);
  });

  it('are sent completely when the process stops', async () => {
    const api = await start({ OTEL_BSP_SCHEDULE_DELAY: '60000' });
    await client(api.url).request('GET', '/v1/users/me');
    expect(await api.stop()).toBe(0);
    expect(receiver.spans.map(({ name }) => name)).toContain('GET /v1/users/me');
    expect(receiver.spans.map(({ name }) => name)).not.toContain('GET /healthz');
  });

  it('delay neither requests nor the end of the process if the receiver does not answer', async () => {
    receiver.hang();
    const api = await start({ OTEL_BSP_MAX_QUEUE_SIZE: '20', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' });
    const caller = client(api.url);
    for (let i = 0; i < 100; i++) {
      const { status } = await caller.request('GET', '/v1/users/me', { timeoutMs: 2000 });
      expect(status).toBe(401);
    }
    const from = performance.now();
    expect(await api.stop()).toBe(0);
    expect(performance.now() - from).toBeLessThan(8000);
  });

  it('load nothing of OpenTelemetry if no receiver is configured', async () => {
    const api = await start({ ...tellTelemetryLoads, OTEL_EXPORTER_OTLP_ENDPOINT: undefined });
    await client(api.url).registerAndLogin();
    expect(await api.stop()).toBe(0);
    expect(loadedTelemetry(api.logs())).toEqual([]);
    // The same check detects it when it is loaded.
    const traced = await start(tellTelemetryLoads);
    expect(loadedTelemetry(traced.logs())).toContain('@opentelemetry/sdk-node');
  });

  it('refuse another protocol at the start', async () => {
    const api = await startApi({
      waitUntilReady: false,
      env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER_ARG: '10%' },
    });
    expect(await api.exited()).toBe(78);
    expect(api.logs()).toContain('OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf');
    expect(api.logs()).toContain('OTEL_TRACES_SAMPLER_ARG: must be from 0 to 1');
  });
});
