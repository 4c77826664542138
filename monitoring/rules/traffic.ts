import { apiOf } from './scope.js';
import type { Rule, Target } from './rule.js';

/** What the objectives are about: neither probes, documents nor addresses that lead nowhere. */
export const trafficOf = ({ scope }: Target): string => `${apiOf(scope)},http_route=~"/v1/.+"`;

const by = 'sum by (namespace, job)';

/** The objective of latency, in seconds: a bound of the histogram's buckets, so that the share is exact. */
export const latencyBound = '0.3';

/** Requests a second. */
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

/** Those with such a status. One that was never answered has no series, and is none a second. */
export const answered = (status: string, traffic: string, window: string): string =>
  `${requests(`${traffic},http_response_status_code=~"${status}"`, window)} or 0 * ${requests(traffic, window)}`;

/** All but the 5xx: an error that came quickly is no success. */
export const timed = (traffic: string, window: string): string =>
  `${by} (rate(http_server_request_duration_seconds_count{${traffic},status_class!="5xx"}[${window}]))`;

/** Of these, what took longer. Never below zero, to which the rates of two series may differ. */
export const slow = (traffic: string, window: string): string =>
  `clamp_min(${timed(traffic, window)} - ${by} (rate(http_server_request_duration_seconds_bucket{${traffic},status_class!="5xx",le="${latencyBound}"}[${window}])), 0)`;
