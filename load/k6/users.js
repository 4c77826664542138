// The users of a run: from USERS_FILE, which `log-in.mjs` writes, or else logged in (or registered) by the setup.
import exec from 'k6/execution';
import http from 'k6/http';
import { SharedArray } from 'k6/data';
import { sleep } from 'k6';
import { parametersOf } from './calls.js';
import { baseUrl, number } from './settings.js';

const file = __ENV.USERS_FILE;
// k6 shares an array of a file among all virtual users; what a setup returns is copied for each of them.
const fromFile = file ? new SharedArray('users', () => JSON.parse(open(file))) : null;
const maxUsersOfSetup = 500;
const atOnce = 4;

/** For a scenario's `setup`. With REGISTER=true it registers new users, for a database without seeded ones. */
export const prepareUsers =
  (defaultCount = 20) =>
  () => {
    if (fromFile !== null) return null;
    const count = number('USERS', defaultCount);
    if (count > maxUsersOfSetup)
      exec.test.abort(`More than ${maxUsersOfSetup} users need a USERS_FILE: see load/k6/log-in.mjs.`);
    const made = __ENV.REGISTER === 'true' ? registered(count) : seeded(count);
    const users = logIn(made);
    console.warn('all users are there');
    return users;
  };

/** The n-th user of the run, again from the first after the last. */
export function userAt(made, n) {
  const users = fromFile ?? made;
  return users[n % users.length];
}

export const userCount = (made) => (fromFile ?? made).length;

export const anyUser = (made) => userAt(made, Math.floor(Math.random() * userCount(made)));

/** The accounts of `npm run seed`. */
const seeded = (count) =>
  Array.from({ length: count }, (_, n) => ({
    email: `user${n + 1}@example.com`,
    password: 'correct horse battery',
  }));

function registered(count) {
  const run = Date.now();
  const accounts = Array.from({ length: count }, (_, n) => ({
    email: `load-${run}-${n}@example.com`,
    password: `correct horse ${n} battery`,
  }));
  const bodies = accounts.map((account) => ({ ...account, name: 'Load' }));
  inBatches(bodies, 201, (body) => post('/v1/auth/register', body));
  return accounts;
}

function logIn(accounts) {
  const tokens = inBatches(accounts, 200, (account) => post('/v1/auth/login', account)).map(
    (response) => response.json().access_token,
  );
  if (__ENV.REGISTER === 'true')
    inBatches(tokens, 201, (token) => post('/v1/tasks', { title: 'First' }, token));
  const lists = inBatches(tokens, 200, (token) => [
    'GET',
    `${baseUrl}/v1/tasks?limit=25`,
    null,
    parametersOf('GET /v1/tasks', token, 'text'),
  ]);
  return tokens.map((token, n) => ({ token, taskIds: lists[n].json().data.map(({ id }) => id) }));
}

const post = (path, body, token) => [
  'POST',
  `${baseUrl}${path}`,
  JSON.stringify(body),
  parametersOf(`POST ${path}`, token, 'text'),
];

/** Sends a request for each item, some at once. A full password queue answers 503 and says when to try again. */
function inBatches(items, expected, requestOf) {
  const responses = [];
  for (let n = 0; n < items.length; n += atOnce) {
    const requests = items.slice(n, n + atOnce).map(requestOf);
    let batch = http.batch(requests);
    for (let tries = 0; tries < 30 && batch.some(({ status }) => status === 503); tries++) {
      sleep(Number(batch.find(({ status }) => status === 503).headers['Retry-After']) || 1);
      batch = batch.map((response, i) => (response.status === 503 ? http.request(...requests[i]) : response));
    }
    const wrong = batch.find(({ status }) => status !== expected);
    if (wrong !== undefined) exec.test.abort(`The users can't be prepared: ${reasonOf(wrong)}`);
    responses.push(...batch);
  }
  return responses;
}

function reasonOf({ status, error, body, request }) {
  const hints = {
    0: `no response from ${baseUrl} (${error})`,
    401: 'there are too few seeded users: run `npm run seed -- --users 1000 --tasks 100000` against its database',
    429: 'a rate limit: raise RATE_LIMIT_CREDENTIALS_POINTS and RATE_LIMIT_FREE_POINTS of the API for a load test',
  };
  return hints[status] ?? `${request.method} ${request.url}: ${status} ${String(body).slice(0, 300)}`;
}
