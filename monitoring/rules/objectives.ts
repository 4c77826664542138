import { msOf } from './durations.js';
import { alertRule, usualInterval, type Alert, type Rule, type RulesFor, type Target } from './rule.js';
import { apiOf } from './scope.js';
import { answered, requests, slow, timed, trafficOf, trafficRecords } from './traffic.js';

interface Objective {
  readonly name: 'availability' | 'latency';
  /** Share of the requests that may be bad within 30 days. */
  readonly budget: string;
  /** Recorded requests per second: bad ones, and all that count. */
  readonly bad: string;
  readonly all: string;
  /** The same from the counters. */
  readonly rawBad: (traffic: string, window: string) => string;
  readonly rawAll: (traffic: string, window: string) => string;
  readonly words: { readonly bad: string; readonly look: string };
}

export const objectives: readonly Objective[] = [
  {
    name: 'availability',
    budget: '0.001',
    bad: 'job:http_server_requests_5xx:rate5m',
    all: 'job:http_server_requests:rate5m',
    rawBad: (traffic, window) => `(${answered('5..', traffic, window)})`,
    rawAll: requests,
    words: {
      bad: 'fail with a 5xx',
      look: 'The overview shows the routes, and the log of the pods has each cause once.',
    },
  },
  {
    name: 'latency',
    budget: '0.01',
    bad: 'job:http_server_requests_slow:rate5m',
    all: 'job:http_server_requests_timed:rate5m',
    rawBad: slow,
    rawAll: timed,
    words: {
      bad: 'take longer than 300 ms',
      look: 'The overview shows the routes. Then check the pools, the event loop and the cache.',
    },
  },
];

/** Without traffic the share is 0, because 0 / 0 would be NaN. */
const share = (bad: string, all: string): string => `${bad} / (${all} > 0) or 0 * ${all}`;

const recordOf = ({ name }: Objective, window: string): string =>
  `job:slo_${name}_errors:ratio_rate${window}`;

/** The series that were just recorded. */
const ofNow = ({ scope }: Target, objective: Objective): Rule => {
  const at = `{${apiOf(scope)}}`;
  return { record: recordOf(objective, '5m'), expr: share(`${objective.bad}${at}`, `${objective.all}${at}`) };
};

/** From the counters, so that a fault shows at once: a few hundred series per pod, over an hour. */
const ofCounters = (target: Target, objective: Objective): Rule => {
  const parts = [trafficOf(target), target.time('1h')] as const;
  return {
    record: recordOf(objective, '1h'),
    expr: share(objective.rawBad(...parts), objective.rawAll(...parts)),
  };
};

/**
 * From recorded series: four, whatever the number of pods. 30 days are 86,400 samples of each, which take a few milliseconds;
 * from the counters they would be hundreds of millions. Sums, not averages of shares, so that a busy hour counts more.
 */
const ofRecords = (target: Target, objective: Objective, window: string): Rule => {
  const sum = (name: string) => `sum_over_time(${name}{${apiOf(target.scope)}}[${target.time(window)}])`;
  return { record: recordOf(objective, window), expr: share(sum(objective.bad), sum(objective.all)) };
};

/** Minimum of bad requests in the short window; otherwise a single one in a quiet night would raise the alert. */
const fewest = 10;

interface Burn {
  /** Burn rate: how many times faster than the objective allows. */
  readonly factor: string;
  readonly long: string;
  readonly short: string;
}

/**
 * Multiple windows, multiple burn rates: https://sre.google/workbook/alerting-on-slos/ (its table 5-8). The long window
 * shows that it matters, the short one that it still continues. Fast: 2 % of the month's budget in 1 h, or 5 % in 6 h.
 * Slow: 10 % in a day, or a rate that would use up the whole budget.
 */
const burns = {
  fast: [
    { factor: '14.4', long: '1h', short: '5m' },
    { factor: '6', long: '6h', short: '30m' },
  ],
  slow: [
    { factor: '3', long: '1d', short: '2h' },
    { factor: '1', long: '3d', short: '6h' },
  ],
} as const satisfies Record<string, readonly Burn[]>;

function burning(target: Target, objective: Objective, { factor, long, short }: Burn): string {
  const api = apiOf(target.scope);
  const isAbove = (window: string) =>
    `${recordOf(objective, window)}{${api}} > ${factor} * ${objective.budget}`;
  const bad =
    short === '5m'
      ? `${objective.bad}{${api}}`
      : `avg_over_time(${objective.bad}{${api}}[${target.time(short)}])`;
  // The value is that of the short window: the current state.
  return `(${isAbove(short)} and ${isAbove(long)} and ${bad} > ${fewest} / ${msOf(short) / 1000})`;
}

/** Fast alerts have no waiting time: a total outage exceeds the threshold of 1 h within 52 s. */
function burnAlerts(target: Target, objective: Objective): readonly Rule[] {
  const { name, words } = objective;
  const common = { runbook: `${name}-budget`, dashboard: 'slo' } as const;
  const title = `TaskApi${name === 'latency' ? 'Latency' : 'Availability'}Burning`;
  const expr = (pairs: readonly Burn[]) => pairs.map((pair) => burning(target, objective, pair)).join(' or ');
  const alerts: readonly Alert[] = [
    {
      ...common,
      alert: `${title}Fast`,
      severity: 'critical',
      expr: expr(burns.fast),
      summary: `{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} in {{ $labels.namespace }} ${words.bad}.`,
      description: `At this rate the ${name} budget of 30 days is gone within days. ${words.look}`,
    },
    {
      ...common,
      alert: `${title}Slowly`,
      severity: 'warning',
      expr: expr(burns.slow),
      for: '15m',
      summary: `{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} in {{ $labels.namespace }} ${words.bad}, for hours.`,
      description: `The ${name} budget does not last for 30 days. ${words.look}`,
    },
  ];
  return alerts.map((alert) => alertRule(target, alert));
}

/** In one group, in this order, so that an alert sees what was recorded in the same evaluation. */
export const objectiveRules: RulesFor = (target) => ({
  name: 'task-api-objectives',
  interval: target.time(usualInterval),
  rules: [
    ...trafficRecords(target),
    ...objectives.flatMap((objective) => [
      ofNow(target, objective),
      ofCounters(target, objective),
      ...['30m', '2h', '6h'].map((window) => ofRecords(target, objective, window)),
      ...burnAlerts(target, objective),
    ]),
  ],
});

/** Windows of days change slowly. A longer interval would make recorded samples stale (5 min) for their readers. */
export const longWindowRules: RulesFor = (target) => ({
  name: 'task-api-objectives-of-days',
  interval: target.time('2m'),
  rules: objectives.flatMap((objective) =>
    ['1d', '3d', '30d'].map((window) => ofRecords(target, objective, window)),
  ),
});
