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
    eventsSetAside(target),
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

/**
 * More than is delivered in five minutes: the same number of events is a queue on one site and a moment's work on another. An
 * event waits in the outbox until it is moved, then in the inbox of each consumer, where the consumer's own deliveries count.
 */
function outboxGrowing({ scope, time, seconds }: Target): Alert {
  const api = apiOf(scope);
  const waiting = (series: string, by: string) => `max by (namespace, job, ${by}) (${series}{${api}})`;
  const delivered = (by: string) =>
    `${seconds('5m')} * sum by (${by}) (rate(outbox_deliveries_total{${api},result="success"}[${time('5m')}]))`;
  const inOutbox = waiting('outbox_pending', 'schema');
  const inInbox = waiting('inbox_pending', 'consumer');
  return {
    alert: 'TaskApiOutboxGrowing',
    severity: 'warning',
    expr:
      `(${inOutbox} > 10 unless ${inOutbox} <= on (namespace, job) group_left () ${delivered('namespace, job')})` +
      ` or (${inInbox} > 10 unless ${inInbox} <= ${delivered('namespace, job, consumer')})`,
    for: '10m',
    summary:
      'Mails and other work after a request are late in {{ $labels.namespace }}, or do not happen at all.',
    description:
      '{{ $value }} events of {{ $labels.job }} wait {{ with $labels.consumer }}for the consumer {{ . }}{{ else }}in {{ $labels.schema }}.outbox{{ end }}.' +
      ' Check {{ if $labels.consumer }}the log (`an event failed`): for mails it is most often the mail server{{ else }}Postgres, then the log (`background work failed`){{ end }}.',
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
    `sum by (namespace, job, topic, consumer) (increase(outbox_deliveries_total{${apiOf(scope)},result="${result}"}[${time('30m')}]))`;
  return {
    alert: 'TaskApiEventsFailing',
    severity: 'warning',
    expr: `${deliveries('error')} >= 5 unless ${deliveries('success')} > 0`,
    for: '5m',
    summary: 'Mails or other work after a request do not happen in {{ $labels.namespace }}.',
    description:
      'The consumer {{ $labels.consumer }} of {{ $labels.job }} handled no event {{ $labels.topic }} within half an hour, and {{ printf "%.0f" $value }} attempts failed. The log says why (`an event failed`). After about an hour of attempts an event is set aside.',
    runbook: 'outbox-growing',
    dashboard: 'business',
  };
}

/**
 * An alert of its own: attempts end with it, so neither the queue nor the failures show it any longer, and it also happens to a
 * single event while others succeed. Nothing but a person ends it, and after 30 days the event is deleted.
 */
function eventsSetAside({ scope }: Target): Alert {
  return {
    alert: 'TaskApiEventsSetAside',
    severity: 'warning',
    expr: `max by (namespace, job, consumer) (inbox_failed{${apiOf(scope)}}) > 0`,
    for: '5m',
    summary:
      'Mails or other work after a request did not happen in {{ $labels.namespace }}, and are not tried again.',
    description:
      '{{ $value }} events for the consumer {{ $labels.consumer }} of {{ $labels.job }} were set aside after 12 attempts. Fix the cause, then retry them by the runbook. After 30 days they are deleted.',
    runbook: 'outbox-growing',
    dashboard: 'business',
  };
}
