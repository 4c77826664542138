import { alertRule, processName, usualInterval, type Alert, type RulesFor, type Target } from './rule.js';
import { apiOf, clusterOf } from './scope.js';

/** The processes of the API themselves. */
export const processRules: RulesFor = (target) => {
  const api = apiOf(target.scope);
  return {
    name: 'task-api-processes',
    interval: target.time(usualInterval),
    rules: [
      { record: 'job:up:sum', expr: `sum by (namespace, job) (up{${api}})` },
      ...[down(target), absent(target), targetDown(target), eventLoopSlow(target)].map((alert) =>
        alertRule(target, alert),
      ),
    ],
  };
};

/**
 * Nothing answers, but something did within the last day: the processes are gone (`up` does not exist; `absent()` would also
 * fire for a release that never existed), they do not answer, or none is ready, so that the cluster sends them no requests.
 */
function down(target: Target): Alert {
  const { scope, time } = target;
  const api = apiOf(scope);
  const available = `kube_deployment_status_replicas_available{${clusterOf(scope)}deployment="${scope.release}-api"}`;
  const isGone = `max_over_time(job:up:sum{${api}}[${time('1d')}]) > 0 unless job:up:sum{${api}} > 0`;
  const isUnready =
    `max by (namespace) (max_over_time(${available}[${time('1d')}])) > 0` +
    ` and max by (namespace) (${available}) == 0`;
  return {
    alert: 'TaskApiDown',
    severity: 'critical',
    expr: `(${isGone}) or label_replace(${isUnready}, "job", "${scope.release}", "", "")`,
    for: '1m',
    summary: 'No process of {{ $labels.job }} in {{ $labels.namespace }} answers.',
    description:
      'Up to {{ $value }} answered within the last day. Check the pods: do they exist, do they start, how do their logs end?',
    runbook: 'api-down',
    dashboard: 'overview',
  };
}

/** Nothing is monitored: Prometheus never had a target, or has had none since an outage a day ago. */
function absent({ scope }: Target): Alert {
  return {
    alert: 'TaskApiAbsent',
    severity: 'warning',
    expr: `absent(up{${apiOf(scope)}})`,
    // An installation has finished by then.
    for: '30m',
    summary: 'Prometheus has no target of {{ $labels.job }}: none of its alerts can fire.',
    description:
      'Check whether there are pods, and whether Prometheus selects the ServiceMonitor and may reach its namespace.',
    runbook: 'api-down',
    dashboard: 'overview',
  };
}

function targetDown({ scope }: Target): Alert {
  const api = apiOf(scope);
  return {
    alert: 'TaskApiTargetDown',
    severity: 'warning',
    expr: `max by (namespace, job, instance, pod) (up{${api}}) == 0 and on (namespace, job) sum by (namespace, job) (up{${api}}) > 0`,
    // Longer than a pod takes to start (5 min at most) or to stop.
    for: '10m',
    summary: 'One of the processes of {{ $labels.job }} in {{ $labels.namespace }} can not be scraped.',
    description: `The metrics of ${processName} are missing. The other processes continue to serve.`,
    runbook: 'target-down',
    dashboard: 'overview',
  };
}

/** Delay per second: the share of time in which the event loop was blocked. */
function eventLoopSlow({ scope, time }: Target): Alert {
  return {
    alert: 'TaskApiEventLoopSlow',
    severity: 'warning',
    expr: `sum by (namespace, job, instance, pod) (rate(nodejs_eventloop_delay_seconds_sum{${apiOf(scope)}}[${time('5m')}])) > 0.25`,
    for: '10m',
    summary:
      'A process of {{ $labels.job }} in {{ $labels.namespace }} is blocked, so each of its requests waits.',
    description: `The event loop of ${processName} is blocked for {{ $value | humanizePercentage }} of its time: check its CPU and its requests.`,
    runbook: 'event-loop-slow',
    dashboard: 'runtime',
  };
}
