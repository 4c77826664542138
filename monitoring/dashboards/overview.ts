import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph, heatmap, stat, type Query } from './panels.js';
import { count, increase, ofApi, ofRelease, orZero, quantile, rate, ratio, sum } from './promql.js';
import { table } from './table.js';

const onRoute = 'http_route=~"$route"';
const requests = (...matchers: string[]) => rate(ofApi('http_server_requests_total', onRoute, ...matchers));
const code = 'http_response_status_code';
const [serverErrors, clientErrors] = [`${code}=~"5.."`, `${code}=~"4.."`];
const buckets = ofApi('http_server_request_duration_seconds_bucket', onRoute);
const route = ['http_request_method', 'http_route'] as const;
const routeLegend = '{{http_request_method}} {{http_route}}';

const total = (q: number): Query => ({
  expr: quantile(q, buckets),
  legend: `p${q * 100}`,
  exemplar: true,
});

const byRoute = (q: number) =>
  graph({
    title: `p${q * 100} by route`,
    description: `${q * 100} % of the requests of each route were answered within this time. Routes without requests are not shown.`,
    unit: units.Seconds,
    width: 8,
    height: 10,
    isTabled: true,
    thresholds: [[0.3, 'orange']],
    queries: [{ expr: quantile(q, buckets, ...route), legend: routeLegend, exemplar: true }],
    runbooks: ['latency-budget'],
  });

const now = [
  stat({
    title: 'Requests',
    description:
      'Requests answered per second. A sudden fall means that clients can not reach the service: check what is in front of the API.',
    unit: units.RequestsPerSecond,
    width: 3,
    queries: [{ expr: sum(requests()), legend: 'requests' }],
  }),
  stat({
    title: '5xx',
    description: 'Share of requests that failed with a 5xx. The objective is below 0.1 % over 30 days.',
    unit: units.PercentUnit,
    width: 3,
    decimals: 2,
    thresholds: [
      [0.001, 'orange'],
      [0.01, 'red'],
    ],
    queries: [{ expr: ratio(sum(requests(serverErrors)), sum(requests())), legend: '5xx' }],
    runbooks: ['availability-budget'],
  }),
  stat({
    title: '4xx',
    description:
      'Share of requests that were refused: invalid, not logged in or over a limit. A jump after a deployment may still be a fault of the service.',
    unit: units.PercentUnit,
    width: 3,
    decimals: 1,
    thresholds: [[0.25, 'orange']],
    queries: [
      { expr: ratio(orZero(sum(requests(clientErrors)), requests()), sum(requests())), legend: '4xx' },
    ],
    runbooks: ['rate-limit-surge'],
  }),
  stat({
    title: 'p99',
    description: 'One in a hundred requests takes longer. The objective: 99 % within 300 ms.',
    unit: units.Seconds,
    width: 3,
    thresholds: [
      [0.3, 'orange'],
      [1, 'red'],
    ],
    queries: [{ expr: quantile(0.99, buckets), legend: 'p99' }],
    runbooks: ['latency-budget'],
  }),
  stat({
    title: 'Processes up',
    description: 'Processes that Prometheus reaches. If there are too few, some are starting, stuck or gone.',
    unit: units.Short,
    width: 3,
    base: 'red',
    thresholds: [[1, 'green']],
    queries: [{ expr: sum(ofApi('up')), legend: 'up' }],
    runbooks: ['api-down', 'target-down'],
  }),
  stat({
    title: 'Alerts firing',
    description: 'Alerts of this release that are firing, by name; 0 if there is none.',
    unit: units.Short,
    width: 4,
    shown: 'value_and_name',
    thresholds: [[1, 'red']],
    queries: [
      {
        expr: orZero(
          count(ofRelease('ALERTS', 'alertname=~"TaskApi.+"', 'alertstate="firing"'), 'alertname'),
          ofApi('up'),
          'alertname',
        ),
        legend: '{{alertname}}',
      },
    ],
  }),
  stat({
    title: 'Version',
    description: 'Running versions. Two versions for more than a few minutes: a deployment is stuck.',
    unit: units.Short,
    width: 5,
    shown: 'name',
    queries: [
      { expr: count(ofApi('app_build_info'), 'version', 'commit'), legend: '{{version}} ({{commit}})' },
    ],
  }),
];

const traffic = [
  graph({
    title: 'Requests by route',
    description:
      'Requests answered per second. `unmatched` is every address without a route, for example from scanners.',
    unit: units.RequestsPerSecond,
    width: 12,
    isTabled: true,
    queries: [{ expr: sum(requests(), ...route), legend: routeLegend }],
  }),
  graph({
    title: 'Requests by status',
    description:
      'Requests answered per second, by status. 503: the database is unreachable, or the process is stopping. 500: a bug; its cause is in the log once.',
    unit: units.RequestsPerSecond,
    width: 12,
    isTabled: true,
    isStacked: true,
    queries: [{ expr: sum(requests(), code), legend: `{{${code}}}` }],
  }),
  graph({
    title: 'Server errors (5xx) by route',
    description: 'Requests that failed. One route: check its log lines. All routes: check the database.',
    unit: units.RequestsPerSecond,
    width: 12,
    isTabled: true,
    queries: [{ expr: sum(requests(serverErrors), ...route, code), legend: `${routeLegend} {{${code}}}` }],
    runbooks: ['availability-budget'],
  }),
  graph({
    title: 'Client errors (4xx) by status',
    description:
      'Requests that were refused. 401: no token or an old one. 422: invalid input. 429: over a limit. `none` is zero.',
    unit: units.RequestsPerSecond,
    width: 12,
    isTabled: true,
    queries: [{ expr: orZero(sum(requests(clientErrors), code), requests(), code), legend: `{{${code}}}` }],
    runbooks: ['rate-limit-surge'],
  }),
];

const latency = [
  graph({
    title: 'Latency',
    description:
      'From the first byte of a request to the last byte of its response, over the selected routes. The dots are single requests with a trace: click on one.',
    unit: units.Seconds,
    width: 12,
    thresholds: [[0.3, 'orange']],
    queries: [total(0.5), total(0.95), total(0.99)],
    runbooks: ['latency-budget'],
  }),
  heatmap({
    title: 'Latency, all requests',
    description:
      'How many requests took how long. Two bands: some are served from the cache, others from the database. A rising band: everything becomes slower.',
    unit: units.Seconds,
    width: 12,
    queries: [{ expr: sum(increase(buckets), 'le'), legend: '{{le}}', exemplar: true }],
    runbooks: ['latency-budget'],
  }),
  byRoute(0.5),
  byRoute(0.95),
  byRoute(0.99),
  table({
    title: 'Routes, now',
    description:
      'Each route with its rate, its share of 5xx and its latencies. Sort by the column that your alert is about.',
    unit: units.Short,
    width: 24,
    rows: { http_request_method: 'Method', http_route: 'Route' },
    sortedBy: 'Requests',
    columns: [
      { name: 'Requests', unit: units.RequestsPerSecond, expr: sum(requests(), ...route) },
      {
        name: '5xx',
        unit: units.PercentUnit,
        expr: ratio(sum(requests(serverErrors), ...route), sum(requests(), ...route)),
      },
      ...[0.5, 0.95, 0.99].map((q) => ({
        name: `p${q * 100}`,
        unit: units.Seconds,
        expr: quantile(q, buckets, ...route),
      })),
    ],
    runbooks: ['availability-budget', 'latency-budget'],
  }),
];

const connections = [
  graph({
    title: 'Active requests',
    description:
      'Requests in flight in each process. If it rises without more traffic, something that they wait for has become slow.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(ofApi('http_server_active_requests'), 'instance'), legend: '{{instance}}' }],
  }),
  graph({
    title: 'Open connections',
    description:
      'Client connections to each process, including idle ones. Very unequal: the load balancer keeps clients on one process.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(ofApi('http_server_open_connections'), 'instance'), legend: '{{instance}}' }],
  }),
  graph({
    title: 'Size of answers',
    description: 'Size of response bodies: the average, and the size that one in a hundred exceeds.',
    unit: units.BytesIEC,
    width: 8,
    queries: [
      {
        expr: ratio(
          sum(rate(ofApi('http_server_response_body_size_bytes_sum'))),
          sum(rate(ofApi('http_server_response_body_size_bytes_count'))),
        ),
        legend: 'average',
      },
      { expr: quantile(0.99, ofApi('http_server_response_body_size_bytes_bucket')), legend: 'p99' },
    ],
  }),
];

export const overview = board({
  name: 'overview',
  title: 'Overview',
  description: 'Is the service up, is it fast, do requests fail? Begin here.',
  variables: ['instance', 'route'],
  sections: [
    { title: 'Now', panels: now },
    { title: 'Traffic and errors', panels: traffic },
    { title: 'Latency', panels: latency },
    { title: 'Connections and answers', panels: connections },
  ],
});
