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
 * Nothing answers that did within a day: the processes are gone (there is no `up` at all, which `absent()` would tell of a
 * release that was never there, too), they do not answer, or the cluster sends them no requests, as none is ready.
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
    summary: 'Nobody reaches {{ $labels.job }} in {{ $labels.namespace }}: none of its processes serves.',
    description:
      'Up to {{ $value }} did within the last day. Look at the pods: are they there, do they start, what do their logs end with?',
    runbook: 'api-down',
    dashboard: 'overview',
  };
}

/** Nobody could tell of anything: Prometheus was never told of a process, or a day after an outage there is still none. */
function absent({ scope }: Target): Alert {
  return {
    alert: 'TaskApiAbsent',
    severity: 'warning',
    expr: `absent(up{${apiOf(scope)}})`,
    // An installation is over by then.
    for: '30m',
    summary: 'Prometheus knows no process of {{ $labels.job }}: no alert of it would be told.',
    description:
      'There is no target. Look at whether there are pods, and whether Prometheus selects the ServiceMonitor and may reach its namespace.',
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
    summary: 'One of the processes of {{ $labels.job }} in {{ $labels.namespace }} is not there to serve.',
    description: `The metrics of ${processName} can not be had. The others go on.`,
    runbook: 'target-down',
    dashboard: 'overview',
  };
}

/** How late, a second, is the share of its time in which the loop was held up by what it did. */
function eventLoopSlow({ scope, time }: Target): Alert {
  return {
    alert: 'TaskApiEventLoopSlow',
    severity: 'warning',
    expr: `sum by (namespace, job, instance, pod) (rate(nodejs_eventloop_delay_seconds_sum{${apiOf(scope)}}[${time('5m')}])) > 0.25`,
    for: '10m',
    summary: 'A process of {{ $labels.job }} in {{ $labels.namespace }} makes each of its requests wait.',
    description: `The event loop of ${processName} is held up for {{ $value | humanizePercentage }} of its time: look at its CPU and at what its requests are.`,
    runbook: 'event-loop-slow',
    dashboard: 'runtime',
  };
}
