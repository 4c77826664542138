import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph, stat, type Threshold } from './panels.js';
import { increase, ofRelease, ratio, sum } from './promql.js';
import { table } from './table.js';

interface Objective {
  readonly name: 'availability' | 'latency';
  readonly title: string;
  readonly means: string;
  /** Share of the requests that may be bad. */
  readonly budget: number;
  readonly runbook: string;
  /** Bad requests, and all that count, in the displayed time range. */
  readonly bad: (...by: string[]) => string;
  readonly all: (...by: string[]) => string;
}

const counted = 'http_route=~"/v1/.+"';
const requests = (by: string[], ...matchers: string[]) =>
  sum(increase(ofRelease('http_server_requests_total', counted, ...matchers), '$__range'), ...by);
const durations = (by: string[], suffix: string, ...matchers: string[]) =>
  sum(
    increase(
      ofRelease(`http_server_request_duration_seconds_${suffix}`, counted, 'error_type=""', ...matchers),
      '$__range',
    ),
    ...by,
  );

const objectives: readonly Objective[] = [
  {
    name: 'availability',
    title: 'Availability',
    means: '99.9 % of the requests over 30 days are not answered with a 5xx',
    budget: 0.001,
    runbook: 'availability-budget',
    bad: (...by) => requests(by, 'http_response_status_code=~"5.."'),
    all: (...by) => requests(by),
  },
  {
    name: 'latency',
    title: 'Latency',
    means: '99 % of the requests that are not answered with a 5xx are answered within 300 ms, over 30 days',
    budget: 0.01,
    runbook: 'latency-budget',
    bad: (...by) => `(${durations(by, 'count')} - ${durations(by, 'bucket', 'le="0.3"')})`,
    all: (...by) => durations(by, 'count'),
  },
];

const errors = ({ name }: Objective, window: string) =>
  ofRelease(`job:slo_${name}_errors:ratio_rate${window}`);
const shareThresholds = ({ budget }: Objective): readonly Threshold[] => [[1 - budget, 'green']];

const burn = (objective: Objective, title: string, windows: readonly string[], thresholds: Threshold[]) =>
  graph({
    title: `${objective.title}: ${title}`,
    description: `How fast the budget is used, relative to the allowed rate; at 1 it lasts exactly 30 days. An alert needs a long window and its short window above the line: the long one shows that it matters, the short one that it continues.`,
    unit: 'x',
    width: 12,
    decimals: 1,
    thresholds,
    queries: windows.map((window) => ({
      expr: `${errors(objective, window)} / ${objective.budget}`,
      legend: window,
    })),
    runbooks: [objective.runbook],
  });

const panelsOf = (objective: Objective): Builder<Panel>[] => [
  stat({
    title: `${objective.title} over 30 days`,
    description: `The objective: ${objective.means}. Health checks, the API document and addresses without a route do not count.`,
    unit: units.PercentUnit,
    width: 4,
    height: 8,
    decimals: 3,
    base: 'red',
    thresholds: shareThresholds(objective),
    queries: [{ expr: `1 - ${errors(objective, '30d')}`, legend: objective.name }],
    runbooks: [objective.runbook],
  }),
  stat({
    title: `${objective.title}: budget that is left`,
    description:
      'Remaining share of the failures that are allowed in 30 days. Below zero the objective is missed: make no risky change until it has recovered.',
    unit: units.PercentUnit,
    width: 4,
    height: 8,
    decimals: 1,
    base: 'red',
    thresholds: [
      [0, 'orange'],
      [0.25, 'green'],
    ],
    queries: [{ expr: `1 - ${errors(objective, '30d')} / ${objective.budget}`, legend: 'left' }],
    runbooks: [objective.runbook],
  }),
  stat({
    title: `${objective.title} in the time shown`,
    description:
      'Share of good requests in the selected time range. Select the time of an incident to see its cost.',
    unit: units.PercentUnit,
    width: 4,
    height: 8,
    decimals: 3,
    base: 'red',
    thresholds: shareThresholds(objective),
    queries: [{ expr: `1 - ${ratio(objective.bad(), objective.all())}`, legend: objective.name }],
    runbooks: [objective.runbook],
  }),
  table({
    title: `${objective.title}: what used the budget, in the time shown`,
    description: 'Bad requests by route, the worst first.',
    unit: units.Short,
    width: 12,
    height: 8,
    rows: { http_request_method: 'Method', http_route: 'Route' },
    sortedBy: 'Bad',
    columns: [
      { name: 'Bad', unit: units.Short, expr: objective.bad('http_request_method', 'http_route') },
      { name: 'All', unit: units.Short, expr: objective.all('http_request_method', 'http_route') },
    ],
    runbooks: [objective.runbook],
  }),
  burn(
    objective,
    'burn rate of pages',
    ['5m', '1h', '30m', '6h'],
    [
      [6, 'orange'],
      [14.4, 'red'],
    ],
  ),
  burn(
    objective,
    'burn rate of tickets',
    ['2h', '1d', '6h', '3d'],
    [
      [1, 'orange'],
      [3, 'red'],
    ],
  ),
];

export const slo = board({
  name: 'slo',
  title: 'Service-level objectives',
  description: 'What users were promised, how much of the error budget is left, and how fast it is used.',
  from: 'now-24h',
  sections: [
    ...objectives.map((objective) => ({
      title: `${objective.title}: ${objective.means}`,
      panels: panelsOf(objective),
    })),
    {
      title: 'Budgets',
      panels: [
        graph({
          title: 'Budgets that are left',
          description:
            'Remaining share of the budget of 30 days. A step down: one incident. A slope: something fails all the time.',
          unit: units.PercentUnit,
          width: 24,
          max: 1,
          queries: objectives.map((objective) => ({
            expr: `1 - ${errors(objective, '30d')} / ${objective.budget}`,
            legend: objective.name,
          })),
          runbooks: objectives.map(({ runbook }) => runbook),
        }),
      ],
    },
  ],
});
