import { randomUUID } from 'node:crypto';
import { startApi, type Api } from '../support/api.js';
import { client, type ApiRequest, type ApiResponse, type Client } from '../support/client.js';
import { listOperations, type Operation } from '../support/openapi.js';
import { waitFor } from '../support/wait.js';

const maxSeries = 3000;
const operations = listOperations();
const routeOf = ({ path }: Operation): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

let api: Api;
let calls: Client;
let secrets: readonly string[];
let text: string;

beforeAll(async () => {
  api = await startApi();
  calls = client(api.url);
  secrets = await useTasks();
  for (const operation of operations) await provoke(operation);
  text = await scrape();
}, 120_000);
afterAll(async () => {
  calls.close();
  await api.stop();
});

async function scrape(accept = 'text/plain'): Promise<string> {
  const options = { headers: { accept }, signal: AbortSignal.timeout(5000) };
  return (await fetch(`${api.opsUrl}/metrics`, options)).text();
}
const seriesOf = (metrics: string): string[] =>
  metrics.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** Makes successful calls with values that must never become labels. */
async function useTasks(): Promise<readonly string[]> {
  const { accessToken: token, userId, email } = await calls.registerAndLogin();
  const send = (method: string, path: string, more: ApiRequest = {}) =>
    calls.request<{ id: string }>(method, path, { token, ...more });
  const task = await send('POST', '/v1/tasks', { body: { title: 'Metered' } });
  const path = `/v1/tasks/${task.body.id}`;
  const headers = { 'if-none-match': '"1"' };
  const answers: readonly ApiResponse<unknown>[] = [
    task,
    await send('GET', path),
    await send('GET', path, { headers }),
    await send('PATCH', path, { body: { title: 'Read' }, headers: { 'if-match': '"9"' } }),
    await send('GET', '/v1/tasks?q=metered'),
    await send('GET', '/v1/tasks/stats'),
    await send('POST', '/v1/tasks/bulk', { body: { operations: [{ op: 'create', data: { title: 'x' } }] } }),
    await send('DELETE', path),
    await send('POST', `${path}/restore`),
    await send('GET', '/v1/users/me'),
    await send('GET', '/v1/users/me/export'),
    await calls.request('POST', '/v1/auth/login', { body: { email, password: 'wrong, but long enough' } }),
    await calls.request('BREW', '/v1/coffee'),
    await calls.request('PROPFIND', '/v1/coffee'),
    await calls.request('GET', '/v1/coffee'),
    await calls.request('GET', '/openapi.json'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([
    ...[201, 200, 304, 412, 200, 200, 200, 204, 200, 200, 200],
    ...[401, 400, 404, 404, 200],
  ]);
  return [userId, email, task.body.id, 'metered', 'coffee', 'BREW', 'PROPFIND'];
}

/** Makes calls that fail because of what the client sends. */
async function provoke(operation: Operation): Promise<void> {
  const { accessToken: token } = await calls.registerAndLogin();
  const path = operation.path.replace('{id}', randomUUID());
  const send = (options: ApiRequest, query = '') => calls.request(operation.method, path + query, options);
  const json = { 'content-type': 'application/json' };
  await send({});
  await send({ token }, '?unknown=1');
  if (operation.body === null) return;
  await send({ token, body: {} });
  await send({ token, raw: '{', headers: json });
  await send({ token, raw: 'x', headers: { 'content-type': 'text/plain' } });
  await send({ token, raw: `"${'x'.repeat(1024 * 1024)}"`, headers: json });
}

describe('the metrics of a process', () => {
  it('have at most 3,000 series after every documented status of every route', () => {
    const series = seriesOf(text);
    const has = (labels: string) => series.some((line) => line.includes(labels));
    let missing = 0;
    for (const operation of operations) {
      const route = `http_request_method="${operation.method}",http_route="${routeOf(operation)}"`;
      // Of the durations all that there will be.
      for (const error of ['', '5xx']) expect(has(`${route},error_type="${error}"`)).toBe(true);
      // 408, 429 and others that this test does not provoke.
      const absent = (label: string) => !has(`${route},${label}`);
      const codes = operation.statuses.filter((status) => absent(`http_response_status_code="${status}"`));
      missing += codes.length;
    }
    process.stderr.write(`metrics: ${series.length} series, ${missing} more for what was not provoked\n`);
    expect(series.length + missing).toBeLessThanOrEqual(maxSeries);
  });

  it('have no label whose value a client chooses', () => {
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(text).toMatch(/http_request_method="_OTHER",http_route="unmatched"/);
    const routes = new Set([...text.matchAll(/http_route="([^"]*)"/g)].map(([, route]) => route));
    const known = operations.map(routeOf);
    const others = [...routes].filter((route) => !known.includes(route ?? ''));
    expect(others.filter((route) => !/^(unmatched|\/docs.*|\/openapi\.json)$/.test(route ?? ''))).toEqual([]);
  });

  it('count successes and failures of logins and of calls on tasks', () => {
    expect(text).toMatch(/^auth_attempts_total\{result="success"\} [1-9]/m);
    expect(text).toMatch(/^auth_attempts_total\{result="invalid_credentials"\} 1$/m);
    expect(text).toMatch(/^auth_attempts_total\{result="error"\} 0$/m);
    expect(text).toMatch(/^tasks_operations_total\{operation="create",result="success"\} 1$/m);
    expect(text).toMatch(/^tasks_operations_total\{operation="get",result="success"\} 2$/m);
    expect(text).toMatch(/^tasks_operations_total\{operation="update",result="rejected"\} [1-9]/m);
    expect(text).toMatch(/^tasks_operations_total\{operation="update",result="error"\} 0$/m);
  });

  it('show connections, requests in flight, sizes, the build and the event loop', () => {
    expect(text).toMatch(/^http_server_open_connections [1-9]/m);
    expect(text).toMatch(/^http_server_active_requests 0$/m);
    expect(text).toMatch(/^http_server_response_body_size_bytes_bucket\{le="0"\} [1-9]/m);
    expect(text).toMatch(/^app_build_info\{version="unknown",commit="unknown"\} 1$/m);
    expect(text).toMatch(/^nodejs_eventloop_delay_seconds_count [1-9]/m);
    expect(text).toMatch(/^outbox_pending\{schema="auth"\} \d+$/m);
  });

  it('are the same series in OpenMetrics', async () => {
    const names = (metrics: string) => seriesOf(metrics).map((line) => line.replace(/ [^ ]+$/, ''));
    // Series come and go between two scrapes: one for each type of resource that is active at the moment.
    await waitFor(async () => {
      const open = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
      expect(open.endsWith('\n# EOF\n')).toBe(true);
      expect(names(open)).toEqual(names(await scrape()));
      return true;
    });
  });
});
