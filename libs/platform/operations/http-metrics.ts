import { Counter, Histogram } from 'prom-client';
import { methodOf } from '../http/route-of.js';
import { currentTrace, type CurrentTrace } from '../telemetry/current-trace.js';
import { latencyBuckets } from './latency-buckets.js';
import { registry } from './registry.js';

const duration = new Histogram({
  name: 'http_server_request_duration_seconds',
  help: 'Time from the first byte of a request to the last of its answer.',
  labelNames: ['http_request_method', 'http_route', 'status_class'],
  buckets: [...latencyBuckets],
  enableExemplars: true,
  registers: [registry],
});
const total = new Counter({
  name: 'http_server_requests_total',
  help: 'Requests answered.',
  labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
  registers: [registry],
});
const bodySize = new Histogram({
  name: 'http_server_response_body_size_bytes',
  help: 'Size of the bodies of answers; 0 where there is none.',
  buckets: [0, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216],
  registers: [registry],
});

type DurationLabels = Record<'http_request_method' | 'http_route' | 'status_class', string>;
type TotalLabels = Record<'http_request_method' | 'http_route' | 'http_response_status_code', string>;

/** The labels of a route, made once: a request only looks them up. */
class RouteLabels {
  private readonly durations = new Map<number, DurationLabels>();
  private readonly totals = new Map<number, TotalLabels>();

  constructor(
    private readonly http_request_method: string,
    private readonly http_route: string,
  ) {}

  durationOf(status: number): DurationLabels {
    const digit = Math.floor(status / 100);
    const known = this.durations.get(digit);
    if (known !== undefined) return known;
    const { http_request_method, http_route } = this;
    const labels = { http_request_method, http_route, status_class: `${digit}xx` };
    this.durations.set(digit, labels);
    return labels;
  }

  totalOf(status: number): TotalLabels {
    const known = this.totals.get(status);
    if (known !== undefined) return known;
    const { http_request_method, http_route } = this;
    const labels = { http_request_method, http_route, http_response_status_code: String(status) };
    this.totals.set(status, labels);
    return labels;
  }
}

const routes = new Map<string, Map<string, RouteLabels>>();

/** `route` is the template, never the address: labels must stay few and free of ids. */
function labelsOf(method: string, route: string): RouteLabels {
  const methods = routes.get(route) ?? new Map<string, RouteLabels>();
  routes.set(route, methods);
  const name = methodOf(method);
  const labels = methods.get(name) ?? new RouteLabels(name, route);
  methods.set(name, labels);
  return labels;
}

/** Zero is a series from the start, or a rate over the first error of a process would miss it. */
export function announceRoute(method: string, route: string, success: number): void {
  if (routes.get(route)?.has(method) === true) return;
  const labels = labelsOf(method, route);
  for (const status of [success, 500, 503]) total.inc(labels.totalOf(status), 0);
  for (const status of [success, 500]) duration.zero(labels.durationOf(status));
}

export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly bodyBytes: number;
}

export function countRequest({ method, route, status, seconds, bodyBytes }: Answered): void {
  const labels = labelsOf(method, route);
  total.inc(labels.totalOf(status));
  bodySize.observe(bodyBytes);
  duration.observe({
    labels: labels.durationOf(status),
    value: seconds,
    exemplarLabels: exemplarOf(currentTrace()),
  });
}

const noExemplar = {};
const exemplarOf = (trace: CurrentTrace | undefined): object =>
  trace === undefined ? noExemplar : { trace_id: trace.traceId, span_id: trace.spanId };

/** What was answered before there was a request: no method, route or time of it is known. */
export function countBrokenRequest(status: number): void {
  total.inc(labelsOf('_OTHER', 'unmatched').totalOf(status));
}
