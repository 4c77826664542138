// 10,000 logins at once, beside a steady rate of other calls. A login that finds no place in the queue of password hashes must be
// answered with 503 and Retry-After; the other calls keep their objectives. Needs a high RATE_LIMIT_CREDENTIALS_POINTS.
import { Counter } from 'k6/metrics';
import http from 'k6/http';
import { parametersOf } from './calls.js';
import { objectivesOf } from './objectives.js';
import { baseUrl, common, number, seconds, steady } from './settings.js';
import { summaryOf } from './summary.js';
import { oneCall } from './traffic.js';
import { prepareUsers } from './users.js';

const logins = number('LOGINS', 10_000);
const senders = Math.min(10, logins);
const loginsOfSender = Math.round(logins / senders);
const accounts = number('USERS', 20);
const rate = number('RATE', 50);
const part = Math.round(seconds('DURATION', '40s') / 2);

const accepted = new Counter('accepted_logins');
const refused = new Counter('refused_logins');
const wrong = new Counter('wrong_logins');

/** Of each sender. */
const maxMessages = 2;
let messages = 0;

export const options = {
  ...common,
  batch: loginsOfSender,
  batchPerHost: loginsOfSender,
  scenarios: {
    before: steady(rate, part, { exec: 'others' }),
    during: steady(rate, part, { exec: 'others', startTime: `${part}s` }),
    logins: {
      executor: 'per-vu-iterations',
      exec: 'storm',
      vus: senders,
      iterations: 1,
      startTime: `${part + 1}s`,
      maxDuration: '2m',
    },
  },
  thresholds: {
    ...objectivesOf('before', 'during'),
    accepted_logins: ['count>0'],
    wrong_logins: ['count==0'],
    'http_req_duration{scenario:logins}': [],
  },
};
export const setup = prepareUsers();
export const handleSummary = summaryOf('login-storm', options);
export const others = oneCall;

export function storm() {
  console.warn('the logins begin');
  const path = '/v1/auth/login';
  const requests = Array.from({ length: loginsOfSender }, (_, n) => [
    'POST',
    `${baseUrl}${path}`,
    JSON.stringify({ email: `user${1 + (n % accounts)}@example.com`, password: 'correct horse battery' }),
    { ...parametersOf(`POST ${path}`), timeout: '60s' },
  ]);
  for (const { status, headers, error } of http.batch(requests)) {
    if (status === 200) accepted.add(1);
    else if (status === 503 && headers['Retry-After'] !== undefined) refused.add(1);
    else {
      wrong.add(1);
      if (messages++ < maxMessages) console.error(`failed: POST ${path} ${status} ${error}`.trim());
    }
  }
}
