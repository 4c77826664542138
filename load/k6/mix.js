// k6 run -e BASE_URL=http://… [-e RATE=50] [-e USERS=20] [-e DURATION=15m] [-e SUMMARY=file.json] load/k6/mix.js
// 90 % reads and 10 % writes at a steady rate, independent of response times. Every unexpected response counts in
// `failed_calls`, as does a call without a response; the run fails if there is one.
import { check } from 'k6';
import { Counter } from 'k6/metrics';
import http from 'k6/http';

const base = __ENV.BASE_URL;
const users = Number(__ENV.USERS || 20);
const calls = new Counter('calls');
const failed = new Counter('failed_calls');
const json = { 'Content-Type': 'application/json' };

export const options = {
  setupTimeout: '3m',
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  scenarios: {
    mix: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 50),
      duration: __ENV.DURATION || '15m',
      // A call for which no user was free is lost as well. With so many users, that takes a stall of seconds.
      preAllocatedVUs: 300,
      maxVUs: 300,
      gracefulStop: '20s',
    },
  },
  thresholds: {
    failed_calls: ['count==0'],
    dropped_iterations: ['count==0'],
    'http_req_duration{scenario:mix}': ['p(99)>=0'],
  },
};

export function setup() {
  const made = [];
  for (let n = 0; n < users; n++) {
    const email = `load-${Date.now()}-${n}@example.com`;
    const password = `correct horse ${n} battery`;
    expect('register', 201, post('/v1/auth/register', { email, password, name: 'Load' }));
    const { access_token: token } = expect('login', 200, post('/v1/auth/login', { email, password })).json();
    const task = expect('create', 201, post('/v1/tasks', { title: 'First' }, token)).json();
    made.push({ token, taskId: task.id });
  }
  console.warn('all users are there');
  return made;
}

export default function (made) {
  const { token, taskId } = made[Math.floor(Math.random() * made.length)];
  const authorized = { headers: { Authorization: `Bearer ${token}` } };
  const n = Math.random();
  if (n < 0.6) expect('list', 200, http.get(`${base}/v1/tasks`, authorized));
  else if (n < 0.8) expect('task', 200, http.get(`${base}/v1/tasks/${taskId}`, authorized));
  else if (n < 0.9) expect('stats', 200, http.get(`${base}/v1/tasks/stats`, authorized));
  else if (n < 0.95) expect('create', 201, post('/v1/tasks', { title: `Task ${n}` }, token));
  else expect('patch', 200, patch(`/v1/tasks/${taskId}`, { title: `Changed ${n}` }, token));
}

function post(path, body, token) {
  return http.post(`${base}${path}`, JSON.stringify(body), { headers: headers(token) });
}

function patch(path, body, token) {
  return http.patch(`${base}${path}`, JSON.stringify(body), { headers: headers(token) });
}

function headers(token) {
  return token === undefined ? json : { ...json, Authorization: `Bearer ${token}` };
}

function expect(what, status, answer) {
  calls.add(1);
  if (!check(answer, { [what]: ({ status: found }) => found === status })) {
    failed.add(1);
    console.error(`failed: ${what} ${answer.status} ${answer.error} ${String(answer.body).slice(0, 300)}`);
  }
  return answer;
}

export function handleSummary(data) {
  const { values } = data.metrics['http_req_duration{scenario:mix}'];
  const count = (metric) => data.metrics[metric]?.values.count ?? 0;
  const line = `${count('calls')} calls, ${count('failed_calls')} failed, p50 ${values.med.toFixed(1)} ms, p95 ${values['p(95)'].toFixed(1)} ms, p99 ${values['p(99)'].toFixed(1)} ms\n`;
  return { stdout: line, ...(__ENV.SUMMARY && { [__ENV.SUMMARY]: JSON.stringify(data) }) };
}
