import { Counter, Histogram } from 'prom-client';
import { registry } from './registry.js';

/** Dense where answers are, so that `histogram_quantile` is close to the truth; seconds. */
const latencyBuckets = [
  0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25,
  0.3, 0.5, 0.7, 1, 1.5, 2.5, 5,
];
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS']);

const duration = new Histogram({
  name: 'http_server_request_duration_seconds',
  help: 'Time from the first byte of a request to the last of its answer.',
  labelNames: ['http_request_method', 'http_route', 'status_class'],
  buckets: latencyBuckets,
  registers: [registry],
});
const total = new Counter({
  name: 'http_server_requests_total',
  help: 'Requests answered.',
  labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
  registers: [registry],
});

/** `route` is the template, never the address: labels must stay few and free of ids. */
export function countRequest(method: string, route: string, status: number, seconds: number): void {
  const http_request_method = knownMethods.has(method) ? method : '_OTHER';
  const labels = { http_request_method, http_route: route };
  duration.observe({ ...labels, status_class: `${Math.floor(status / 100)}xx` }, seconds);
  total.inc({ ...labels, http_response_status_code: String(status) });
}
