import { alertRule, processName, usualInterval, type Alert, type RulesFor, type Target } from './rule.js';
import { apiOf } from './scope.js';

/** Postgres as the API processes see it, and the events that wait in it. */
export const databaseRules: RulesFor = (target) => ({
  name: 'task-api-database',
  interval: target.time(usualInterval),
  rules: [
    poolExhausted(target),
    replicaLagging(target),
    databaseServerDown(target),
    outboxGrowing(target),
    eventsFailing(target),
  ].map((alert) => alertRule(target, alert)),
});

/** Waits show that requests suffer; a queue shows that the pool is the cause, not a slow connection to the server. */
function poolExhausted({ scope, time }: Target): Alert {
  const api = apiOf(scope);
  const by = '(namespace, job, instance, pod, db_target)';
  const rate = (series: string) =>
    `sum by ${by} (rate(db_client_connection_wait_time_seconds_${series}[${time('5m')}]))`;
  const all = rate(`count{${api}}`);
  const long = `(${all} - ${rate(`bucket{${api},le="0.1"}`)})`;
  return {
    alert: 'TaskApiPoolExhausted',
    severity: 'warning',
    expr:
      `${long} / ${all} > 0.05 and ${long} > 10 / 300` +
      ` and max by ${by} (avg_over_time(db_client_connection_pending_requests{${api}}[${time('5m')}])) > 0`,
    for: '5m',
    summary: 'Requests to {{ $labels.job }} in {{ $labels.namespace }} wait for a connection to Postgres.',
    description: `{{ $value | humanizePercentage }} of the operations on the {{ $labels.db_target }} wait longer than 100 ms in ${processName}. Look for statements that are slow or wait for locks.`,
    runbook: 'pool-exhausted',
    dashboard: 'database',
  };
}

/** Beyond 1 s (DATABASE_MAX_REPLICA_LAG_MS) a replica gets no reads. */
function replicaLagging({ scope }: Target): Alert {
  return {
    alert: 'TaskApiReplicaLagging',
    severity: 'warning',
    expr: `max by (namespace, job, replica) (db_replica_lag_seconds{${apiOf(scope)}}) > 1`,
    for: '5m',
    summary:
      'A replica of {{ $labels.job }} in {{ $labels.namespace }} lags and serves no reads; other servers take them.',
    description:
      '{{ $labels.replica }} is {{ $value | humanizeDuration }} behind (10 s means 10 s or more). Check what it replays, and its disk.',
    runbook: 'replica-lagging',
    dashboard: 'database',
  };
}

function databaseServerDown({ scope }: Target): Alert {
  return {
    alert: 'TaskApiDatabaseServerDown',
    severity: 'warning',
    expr: `min by (namespace, job, server) (db_server_up{${apiOf(scope)}}) == 0`,
    // Longer than it takes to restart one.
    for: '5m',
    summary:
      'A Postgres server is unreachable for {{ $labels.job }} in {{ $labels.namespace }}. If it is the primary, writes fail; otherwise other servers take the reads.',
    description: 'At least one process can not reach {{ $labels.server }}. Check its pod and its log.',
    runbook: 'database-server-down',
    dashboard: 'database',
  };
}

/** More than is delivered in five minutes: the same number of events is a queue on one site and a moment's work on another. */
function outboxGrowing({ scope, time, seconds }: Target): Alert {
  const api = apiOf(scope);
  const pending = `max by (namespace, job, schema) (outbox_pending{${api}})`;
  const delivered = `sum by (namespace, job) (rate(outbox_deliveries_total{${api},result="success"}[${time('5m')}]))`;
  return {
    alert: 'TaskApiOutboxGrowing',
    severity: 'warning',
    expr:
      `${pending} > 10 unless` +
      ` ${pending} <= on (namespace, job) group_left () ${seconds('5m')} * ${delivered}`,
    for: '10m',
    summary:
      'Mails and other work after a request are late in {{ $labels.namespace }}, or do not happen at all.',
    description:
      '{{ $value }} events wait in {{ $labels.schema }}.outbox of {{ $labels.job }}. The log says why they fail (`an event failed`): most often it is the mail server.',
    runbook: 'outbox-growing',
    dashboard: 'business',
  };
}

/**
 * After an hour of attempts an event is set aside and no longer waits: with few events, a queue never reveals that a mail server
 * is down. A single event is tried five times within the first minute.
 */
function eventsFailing({ scope, time }: Target): Alert {
  const deliveries = (result: string) =>
    `sum by (namespace, job, topic) (increase(outbox_deliveries_total{${apiOf(scope)},result="${result}"}[${time('30m')}]))`;
  return {
    alert: 'TaskApiEventsFailing',
    severity: 'warning',
    expr: `${deliveries('error')} >= 5 unless ${deliveries('success')} > 0`,
    for: '5m',
    summary: 'Mails or other work after a request do not happen in {{ $labels.namespace }}.',
    description:
      'No event {{ $labels.topic }} of {{ $labels.job }} was delivered within half an hour, and {{ printf "%.0f" $value }} attempts failed. The log says why (`an event failed`). After about an hour of attempts an event is set aside.',
    runbook: 'outbox-growing',
    dashboard: 'business',
  };
}
