import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph, stat } from './panels.js';
import { increase, max, ofApi, rate, sum } from './promql.js';

const inRange = (series: string) => sum(increase(series, '$__range'));
const registrations = ofApi(
  'http_server_requests_total',
  'http_request_method="POST"',
  'http_route="/v1/auth/register"',
  'http_response_status_code="201"',
);
const logins = (...matchers: string[]) => ofApi('auth_attempts_total', ...matchers);
const tasks = (...matchers: string[]) => ofApi('tasks_operations_total', ...matchers);

const total = (title: string, description: string, series: string) =>
  stat({
    title,
    description: `${description}, in the time shown.`,
    unit: units.Short,
    width: 6,
    decimals: 0,
    queries: [{ expr: inRange(series), legend: title.toLowerCase() }],
  });

const totals = [
  total('Registrations', 'Accounts that were made', registrations),
  total('Logins', 'Logins that succeeded', logins('result="success"')),
  total(
    'Tasks created',
    'Tasks that were made one at a time',
    tasks('operation="create"', 'result="success"'),
  ),
  total(
    'Changes of tasks',
    'Updates, deletions, restorations and bulk calls that succeeded',
    tasks('operation=~"update|delete|restore|bulk"', 'result="success"'),
  ),
];

const people = [
  graph({
    title: 'Logins by result',
    description:
      'Logins per second. Many `invalid_credentials` with a steady `success`: somebody guesses passwords, or a client has an old one. `limited`: the limit stops the guesses. `error`: a failure of the service, or too many password checks are queued.',
    unit: units.OpsPerSecond,
    width: 12,
    isStacked: true,
    queries: [{ expr: sum(rate(logins()), 'result'), legend: '{{result}}' }],
    runbooks: ['rate-limit-surge'],
  }),
  graph({
    title: 'Registrations a second',
    description: 'New accounts. A sudden rise at night: somebody creates them automatically.',
    unit: units.OpsPerSecond,
    width: 12,
    queries: [{ expr: sum(rate(registrations)), legend: 'registrations' }],
  }),
];

const work = [
  graph({
    title: 'Calls on tasks',
    description: 'Operations on tasks per second by authorised users; a bulk call counts as one.',
    unit: units.OpsPerSecond,
    width: 12,
    isTabled: true,
    isStacked: true,
    queries: [{ expr: sum(rate(tasks()), 'operation'), legend: '{{operation}}' }],
  }),
  graph({
    title: 'Calls on tasks that did not succeed',
    description:
      '`rejected`: invalid, not found or outdated, an error of the client. `error`: a failure of the service.',
    unit: units.OpsPerSecond,
    width: 12,
    isTabled: true,
    queries: [
      {
        expr: sum(rate(tasks('result=~"rejected|error"')), 'operation', 'result'),
        legend: '{{operation}} {{result}}',
      },
    ],
    runbooks: ['availability-budget'],
  }),
];

const behind = [
  graph({
    title: 'Events in the outbox',
    description:
      'Events that are not in the inboxes of their consumers yet. Moving one takes less than a second. If the number grows, no process moves events: the database of the outbox or of an inbox is unreachable. After a user was deleted, one event waits a while on purpose.',
    unit: units.Short,
    width: 8,
    thresholds: [[10, 'orange']],
    queries: [{ expr: max(ofApi('outbox_pending'), 'schema'), legend: '{{schema}}' }],
    runbooks: ['outbox-growing'],
  }),
  graph({
    title: 'Events that wait, by consumer',
    description:
      'Events in the inbox of each consumer that it has not handled yet: mails, profiles of new users, data of deleted users. It must return to zero. If it grows, the consumer fails or is too slow.',
    unit: units.Short,
    width: 8,
    thresholds: [[10, 'orange']],
    queries: [{ expr: max(ofApi('inbox_pending'), 'consumer'), legend: '{{consumer}}' }],
    runbooks: ['outbox-growing'],
  }),
  graph({
    title: 'Events set aside, by consumer',
    description:
      'Events that failed 12 times and are not tried again. Normal is zero. The runbook says how to retry them once the cause is fixed; after 30 days they are deleted.',
    unit: units.Short,
    width: 8,
    thresholds: [[1, 'orange']],
    queries: [{ expr: max(ofApi('inbox_failed'), 'consumer'), legend: '{{consumer}}' }],
    runbooks: ['outbox-growing'],
  }),
  graph({
    title: 'Deliveries by consumer',
    description:
      'Attempts of consumers per second. `error`: the attempt failed and will be repeated; after 12 attempts the event is set aside for an operator.',
    unit: units.EventsPerSecond,
    width: 12,
    isTabled: true,
    queries: [
      {
        expr: sum(rate(ofApi('outbox_deliveries_total')), 'consumer', 'result'),
        legend: '{{consumer}} {{result}}',
      },
    ],
    runbooks: ['outbox-growing'],
  }),
  graph({
    title: 'Rows swept',
    description:
      'Expired rows deleted per second: trash, keys, tokens, sessions. After an update, rows stored anew.',
    unit: units.OpsPerSecond,
    width: 12,
    isTabled: true,
    queries: [
      { expr: sum(rate(ofApi('sweeper_deleted_total')), 'task'), legend: '{{task}}' },
      { expr: sum(rate(ofApi('sweeper_filled_total')), 'task'), legend: '{{task}} anew' },
    ],
  }),
];

export const business = board({
  name: 'business',
  title: 'Business',
  description: 'What users do with the service, and the background work that follows.',
  variables: ['instance'],
  from: 'now-6h',
  sections: [
    { title: 'In the time shown', panels: totals },
    { title: 'People', panels: people },
    { title: 'Tasks', panels: work },
    { title: 'Behind the scenes', panels: behind },
  ],
});
