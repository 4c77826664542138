// What k6 writes at the end: Markdown on the terminal, and in SUMMARY_DIR the files `<scenario>.md`, `.html` and `.json`.
import { asHtml, asMarkdown } from './report.js';

export function summaryOf(scenario, options) {
  // Read now: k6 replaces the object later.
  const names = Object.keys(options.scenarios);
  return (data) => filesOf(scenario, reportOf(scenario, names, data), data);
}

function filesOf(scenario, report, data) {
  const markdown = asMarkdown(report);
  const folder = __ENV.SUMMARY_DIR;
  if (!folder) return { stdout: markdown };
  const file = (ending) => `${folder}/${scenario}.${ending}`;
  return {
    stdout: markdown,
    [file('md')]: markdown,
    [file('html')]: asHtml(report),
    [file('json')]: JSON.stringify(data, null, 2),
  };
}

/** The tables of a report, from the figures of k6. */
export function reportOf(scenario, scenarios, { metrics, state }) {
  const checks = checksOf(metrics);
  return {
    title: scenario,
    isPassed: checks.every(({ isOk }) => isOk),
    facts: factsOf(metrics, state),
    tables: [
      {
        columns: ['must hold', 'threshold', 'found', ''],
        rows: checks.map(({ name, threshold, found, isOk }) => [
          name,
          threshold,
          found,
          isOk ? 'pass' : 'FAIL',
        ]),
      },
      {
        columns: ['scenario', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
        rows: scenarios.map((name) => durationsRow(name, metrics)),
      },
    ],
  };
}

function checksOf(metrics) {
  const byName = Object.entries(metrics).sort(([one], [other]) => (one < other ? -1 : 1));
  return byName.flatMap(([name, { thresholds = {}, values }]) =>
    Object.entries(thresholds).map(([threshold, { ok }]) => ({
      name,
      threshold,
      found: found(threshold, values),
      isOk: ok,
    })),
  );
}

/** The value that a threshold such as `p(99)<500` is about. */
function found(threshold, values) {
  const [, key = ''] = /^([a-z]+(?:\(\d+\))?)/.exec(threshold) ?? [];
  const value = values[key];
  if (value === undefined) return '';
  return key === 'rate' ? `${(value * 100).toFixed(3)} %` : short(value);
}

function factsOf(metrics, { testRunDurationMs }) {
  const counters = [
    'calls',
    'failed_calls',
    'limited_calls',
    'dropped_iterations',
    'accepted_logins',
    'refused_logins',
  ];
  const counts = counters.flatMap((name) =>
    metrics[name] === undefined ? [] : [[name.replace('_', ' '), metrics[name].values.count]],
  );
  const rate = metrics.offered_rate?.values.value;
  return [
    ['duration with setup', `${(testRunDurationMs / 1000).toFixed(1)} s`],
    ...counts,
    ...(rate === undefined ? [] : [['offered rate at the end', `${rate} per second`]]),
  ];
}

function durationsRow(name, metrics) {
  const { values = {} } = metrics[`http_req_duration{scenario:${name}}`] ?? {};
  return [name, ...['med', 'p(95)', 'p(99)', 'max'].map((key) => short(values[key] ?? 0))];
}

const short = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
