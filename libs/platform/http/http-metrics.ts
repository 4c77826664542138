import { currentTrace } from '../context/current-trace.js';
import { latencyBuckets } from '../metrics/latency-buckets.js';
import type { Metrics } from '../metrics/metrics.js';
import type { CounterSeries, HistogramSeries, SeriesCounter, SeriesHistogram } from '../metrics/series.js';
import { methodOf } from './route-of.js';

type DurationLabel = 'http_request_method' | 'http_route' | 'error_type';
type TotalLabel = 'http_request_method' | 'http_route' | 'http_response_status_code';

export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly bodyBytes: number;
}

/** Counts and measures the requests of the server. */
export class HttpMetrics {
  private readonly durations: SeriesHistogram<DurationLabel>;
  private readonly totals: SeriesCounter<TotalLabel>;
  private readonly bodySize: HistogramSeries;
  private readonly routes = new Map<string, Map<string, RouteSeries>>();

  constructor(metrics: Metrics) {
    this.durations = metrics.histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer.',
      labelNames: ['http_request_method', 'http_route', 'error_type'],
      buckets: latencyBuckets,
    });
    this.totals = metrics.counter({
      name: 'http_server_requests_total',
      help: 'Requests that ended; one whose client went away first counts with the status that its answer had or would have had.',
      labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    });
    this.bodySize = metrics
      .histogram({
        name: 'http_server_response_body_size_bytes',
        help: 'Size of the bodies of answers; 0 where there is none.',
        buckets: [0, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216],
      })
      .series({});
  }

  /** Zero is a series from the start, or a rate over the first error of a process would miss it. */
  announce(method: string, route: string, success: number): void {
    if (this.routes.get(route)?.has(method) === true) return;
    const series = this.seriesOf(method, route);
    for (const status of [success, 500, 503]) series.totalOf(status);
    for (const status of [success, 500]) series.durationOf(status);
  }

  count({ method, route, status, seconds, bodyBytes }: Answered): void {
    const series = this.seriesOf(method, route);
    series.totalOf(status).inc();
    series.durationOf(status).observe(seconds, currentTrace());
    this.bodySize.observe(bodyBytes);
  }

  /** A request that was refused before it was one: its method, route and duration are not known. */
  countInvalid(status: number): void {
    this.seriesOf('_OTHER', 'unmatched').totalOf(status).inc();
  }

  /** `route` is the template, never the address: labels must stay few and free of ids. */
  private seriesOf(method: string, route: string): RouteSeries {
    const methods = this.routes.get(route) ?? new Map<string, RouteSeries>();
    this.routes.set(route, methods);
    const name = methodOf(method);
    const series = methods.get(name) ?? new RouteSeries(this.durations, this.totals, name, route);
    methods.set(name, series);
    return series;
  }
}

/** The series of a route, by status. Durations tell only errors of ours apart, as `error.type` of OpenTelemetry does: a class costs 23 series. */
class RouteSeries {
  private readonly byErrorType = new Map<string, HistogramSeries>();
  private readonly byStatus = new Map<number, CounterSeries>();

  constructor(
    private readonly durations: SeriesHistogram<DurationLabel>,
    private readonly totals: SeriesCounter<TotalLabel>,
    private readonly http_request_method: string,
    private readonly http_route: string,
  ) {}

  durationOf(status: number): HistogramSeries {
    const error_type = status < 500 ? '' : '5xx';
    const known = this.byErrorType.get(error_type);
    if (known !== undefined) return known;
    const { http_request_method, http_route } = this;
    const series = this.durations.series({ http_request_method, http_route, error_type });
    this.byErrorType.set(error_type, series);
    return series;
  }

  totalOf(status: number): CounterSeries {
    const known = this.byStatus.get(status);
    if (known !== undefined) return known;
    const { http_request_method, http_route } = this;
    const http_response_status_code = String(status);
    const series = this.totals.series({ http_request_method, http_route, http_response_status_code });
    this.byStatus.set(status, series);
    return series;
  }
}
