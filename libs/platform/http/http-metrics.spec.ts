import { setTraceSource } from '../context/current-trace.js';
import { expose } from '../metrics/exposition.js';
import { Metrics } from '../metrics/metrics.js';
import { HttpMetrics } from './http-metrics.js';

const metrics = new Metrics();
const { registry } = metrics;
const http = new HttpMetrics(metrics);

const scrape = async (accept?: string): Promise<string[]> =>
  (await expose(registry, accept)).body.split('\n');
const answered = { method: 'GET', route: '/things/:id', status: 200, seconds: 0.0042, bodyBytes: 300 };
const openMetrics = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';

afterEach(() => setTraceSource(null));

describe('the metrics of requests', () => {
  it('say the exact status only in the counter, and in the histogram whether it is an error of ours', async () => {
    http.count({ ...answered, route: '/exact', status: 404 });
    const lines = (await scrape()).filter((line) => line.includes('"/exact"'));
    expect(lines).toContain(
      'http_server_requests_total{http_request_method="GET",http_route="/exact",http_response_status_code="404"} 1',
    );
    expect(lines).toContain(
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/exact",error_type=""} 1',
    );
    expect(lines.filter((line) => line.includes('_bucket') && line.includes('404'))).toEqual([]);
  });

  it('know a method that no route has only as _OTHER', async () => {
    http.count({ ...answered, method: 'BREW', route: 'unmatched', status: 404 });
    http.countInvalid(431);
    const text = (await scrape()).join('\n');
    expect(text).not.toContain('BREW');
    for (const status of [404, 431])
      expect(text).toContain(
        `http_server_requests_total{http_request_method="_OTHER",http_route="unmatched",http_response_status_code="${status}"} 1`,
      );
  });

  it('begin at zero, for success and for errors of ours, and are left as they are afterwards', async () => {
    http.announce('POST', '/new', 201);
    const counts = async () =>
      (await scrape())
        .filter((line) => line.includes('"/new"') && /requests_total|_count/.test(line))
        .map((line) => line.replace(/^.*(?:code|type)="(\w*)"\}/, '$1'));
    expect((await counts()).sort()).toEqual([' 0', '201 0', '500 0', '503 0', '5xx 0']);
    http.count({ ...answered, method: 'POST', route: '/new', status: 201 });
    http.announce('POST', '/new', 201);
    expect((await counts()).sort()).toEqual([' 1', '201 1', '500 0', '503 0', '5xx 0']);
  });
});

describe('the formats of the metrics', () => {
  it('are plain text unless OpenMetrics is asked for, and no counter loses its name by that', async () => {
    http.count(answered);
    const plain = await expose(registry);
    expect(plain.type).toMatch(/^text\/plain/);
    const open = await expose(registry, openMetrics);
    expect(open.type).toMatch(/^application\/openmetrics-text/);
    expect(open.body).toMatch(/\n# EOF\n$/);
    expect(open.body).toContain('# TYPE http_server_requests counter\n');
    for (const { body } of [plain, open, await expose(registry)])
      expect(body).toMatch(/\nhttp_server_requests_total\{/);
    expect((await expose(registry)).body).toContain('# TYPE http_server_requests_total counter\n');
  });

  it('have exemplars in OpenMetrics, where a span is sampled', async () => {
    http.count({ ...answered, route: '/untraced' });
    setTraceSource(() => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }));
    http.count({ ...answered, route: '/traced' });
    const exemplars = (await scrape(openMetrics)).filter((line) => / # \{/.test(line));
    expect(exemplars).toEqual([
      expect.stringMatching(
        /^http_server_request_duration_seconds_bucket\{le="0.005",.*"\/traced".*\} 1 # \{trace_id="a{32}",span_id="b{16}"\} 0.0042 \d/,
      ),
    ]);
    expect((await scrape()).filter((line) => line.includes(' # {'))).toEqual([]);
  });
});
