// What users do: 90 % reads and 10 % writes, in the shares of load/support/mix.ts.
import { call } from './calls.js';
import { anyUser } from './users.js';

const get = (name, path) => (token) => call(200, name, path, { token });

/** Shares of 100. */
const kinds = [
  [45, get('GET /v1/tasks', '/v1/tasks')],
  [15, get('GET /v1/tasks?status', '/v1/tasks?status=todo,in_progress&sort=-priority,due_at')],
  [10, get('GET /v1/tasks/stats', '/v1/tasks/stats')],
  [10, get('GET /v1/users/me', '/v1/users/me')],
  [10, (token, id) => call(200, 'GET /v1/tasks/{id}', `/v1/tasks/${id}`, { token })],
  [6, (token, id) => call(200, 'PATCH /v1/tasks/{id}', `/v1/tasks/${id}`, { token, body: title('Changed') })],
  [3, (token) => call(201, 'POST /v1/tasks', '/v1/tasks', { token, body: title('Task') })],
  [
    1,
    (token) => call(200, 'PATCH /v1/users/me', '/v1/users/me', { token, body: { name: suffixed('User') } }),
  ],
];

/** The body of a scenario: one call of one user. */
export const oneCall = (made) => callOf(anyUser(made));

export function callOf({ token, taskIds }) {
  let rest = Math.random() * 100;
  const [, send] = kinds.find(([share]) => (rest -= share) < 0) ?? kinds[0];
  return send(token, taskIds[Math.floor(Math.random() * taskIds.length)]);
}

const title = (text) => ({ title: suffixed(text) });
const suffixed = (text) => `${text} ${Math.random().toString(36).slice(2)}`;
