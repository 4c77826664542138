import { apiOf } from './scope.js';
import type { Rule, Target } from './rule.js';

/** Requests that the objectives cover: no probes, documents or unknown paths. */
export const trafficOf = ({ scope }: Target): string => `${apiOf(scope)},http_route=~"/v1/.+"`;

const by = 'sum by (namespace, job)';

/** The latency objective, in seconds: a bucket boundary of the histogram, so that the share is exact. */
export const latencyBound = '0.3';

/** Requests per second. */
export function trafficRecords(target: Target): readonly Rule[] {
  const traffic = trafficOf(target);
  const window = target.time('5m');
  return [
    { record: 'job:http_server_requests:rate5m', expr: requests(traffic, window) },
    { record: 'job:http_server_requests_5xx:rate5m', expr: answered('5..', traffic, window) },
    { record: 'job:http_server_requests_4xx:rate5m', expr: answered('4..', traffic, window) },
    { record: 'job:http_server_requests_timed:rate5m', expr: timed(traffic, window) },
    { record: 'job:http_server_requests_slow:rate5m', expr: slow(traffic, window) },
  ];
}

export const requests = (traffic: string, window: string): string =>
  `${by} (rate(http_server_requests_total{${traffic}}[${window}]))`;

/** Requests with such a status. A status that never occurred has no series, so its rate is set to 0. */
export const answered = (status: string, traffic: string, window: string): string =>
  `${requests(`${traffic},http_response_status_code=~"${status}"`, window)} or 0 * ${requests(traffic, window)}`;

/** All except 5xx: a fast error is no success. */
export const timed = (traffic: string, window: string): string =>
  `${by} (rate(http_server_request_duration_seconds_count{${traffic},error_type=""}[${window}]))`;

/** Those of them that took longer. Clamped at zero, because the rates of two series may differ slightly. */
export const slow = (traffic: string, window: string): string =>
  `clamp_min(${timed(traffic, window)} - ${by} (rate(http_server_request_duration_seconds_bucket{${traffic},error_type="",le="${latencyBound}"}[${window}])), 0)`;
