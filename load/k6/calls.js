// Sends calls to the API and counts how they ended.
import { Counter, Rate } from 'k6/metrics';
import http from 'k6/http';
import { slowMs } from './objectives.js';
import { baseUrl } from './settings.js';

const calls = new Counter('calls');
/** Every unexpected response, and calls without a response. */
const failed = new Counter('failed_calls');
/** Responses with 429. */
const limited = new Counter('limited_calls');
/** Of each virtual user, so that an outage does not fill the terminal. */
const maxMessages = 2;
let messages = 0;
const serverErrors = new Rate('server_errors');
const slow = new Rate('slow_calls');

/**
 * Sends one call. `name` groups the addresses of a route, as `GET /v1/tasks/{id}`; otherwise k6 would keep figures for each
 * address. Responses with another status than `expected` are counted and logged.
 */
export function call(expected, name, path, { token, body } = {}) {
  const [method] = name.split(' ');
  const response = http.request(
    method,
    `${baseUrl}${path}`,
    body === undefined ? null : JSON.stringify(body),
    parametersOf(name, token),
  );
  record(expected, name, response);
  return response;
}

export function parametersOf(name, token, responseType) {
  return {
    headers: {
      'Content-Type': 'application/json',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    tags: { name },
    timeout: '20s',
    ...(responseType !== undefined && { responseType }),
  };
}

/** Counts a response. Some calls have several expected statuses. */
export function record(expected, name, response) {
  const { status, error } = response;
  // The end of the run, such as one by a threshold, cuts off the calls in flight.
  if (status === 0 && error.includes('context canceled')) return;
  const isError = status === 0 || status >= 500;
  calls.add(1);
  if (status === 429) limited.add(1);
  serverErrors.add(isError);
  if (!isError) slow.add(response.timings.duration > slowMs);
  if ([expected].flat().includes(status)) return;
  failed.add(1);
  if (messages++ < maxMessages)
    console.error(`failed: ${name} ${status} ${error} ${String(response.body ?? '').slice(0, 300)}`.trim());
}
