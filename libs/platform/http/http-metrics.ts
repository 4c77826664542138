import { methodOf } from './route-of.js';
import { currentTrace } from '../context/current-trace.js';
import { latencyBuckets } from '../metrics/latency-buckets.js';
import {
  SeriesCounter,
  SeriesHistogram,
  type CounterSeries,
  type HistogramSeries,
} from '../metrics/series.js';

const duration = new SeriesHistogram({
  name: 'http_server_request_duration_seconds',
  help: 'Time from the first byte of a request to the last of its answer.',
  labelNames: ['http_request_method', 'http_route', 'status_class'],
  buckets: latencyBuckets,
});
const total = new SeriesCounter({
  name: 'http_server_requests_total',
  help: 'Requests that ended; one whose client went away first counts with the status that its answer had or would have had.',
  labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
});
const bodySize = new SeriesHistogram({
  name: 'http_server_response_body_size_bytes',
  help: 'Size of the bodies of answers; 0 where there is none.',
  buckets: [0, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216],
}).series({});

/** The series of a route. */
class RouteSeries {
  private readonly durations = new Map<number, HistogramSeries>();
  private readonly totals = new Map<number, CounterSeries>();

  constructor(
    private readonly http_request_method: string,
    private readonly http_route: string,
  ) {}

  durationOf(status: number): HistogramSeries {
    const digit = Math.floor(status / 100);
    const known = this.durations.get(digit);
    if (known !== undefined) return known;
    const { http_request_method, http_route } = this;
    const series = duration.series({ http_request_method, http_route, status_class: `${digit}xx` });
    this.durations.set(digit, series);
    return series;
  }

  totalOf(status: number): CounterSeries {
    const known = this.totals.get(status);
    if (known !== undefined) return known;
    const { http_request_method, http_route } = this;
    const http_response_status_code = String(status);
    const series = total.series({ http_request_method, http_route, http_response_status_code });
    this.totals.set(status, series);
    return series;
  }
}

const routes = new Map<string, Map<string, RouteSeries>>();

/** `route` is the template, never the address: labels must stay few and free of ids. */
function seriesOf(method: string, route: string): RouteSeries {
  const methods = routes.get(route) ?? new Map<string, RouteSeries>();
  routes.set(route, methods);
  const name = methodOf(method);
  const series = methods.get(name) ?? new RouteSeries(name, route);
  methods.set(name, series);
  return series;
}

/** Zero is a series from the start, or a rate over the first error of a process would miss it. */
export function announceRoute(method: string, route: string, success: number): void {
  if (routes.get(route)?.has(method) === true) return;
  const series = seriesOf(method, route);
  for (const status of [success, 500, 503]) series.totalOf(status);
  for (const status of [success, 500]) series.durationOf(status);
}

export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly bodyBytes: number;
}

export function countRequest({ method, route, status, seconds, bodyBytes }: Answered): void {
  const series = seriesOf(method, route);
  series.totalOf(status).inc();
  series.durationOf(status).observe(seconds, currentTrace());
  bodySize.observe(bodyBytes);
}

/** What was answered before there was a request: no method, route or time of it is known. */
export function countInvalidRequest(status: number): void {
  seriesOf('_OTHER', 'unmatched').totalOf(status).inc();
}
