// What the tests share: a client of the API that fails with what was answered.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

const base = process.env.API_URL;

/** Asks the API, and fails unless the answer has this status. */
export async function call(status, method, path, { body, token, headers = {} } = {}) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  assert.equal(response.status, status, `${method} ${path}: ${response.status} ${text}`);
  return { headers: response.headers, body: text ? JSON.parse(text) : null };
}

/** A user of its own for each run: nothing is left over from one that failed. */
export async function newUser() {
  const credentials = { email: `helm-test-${randomUUID()}@example.com`, password: randomUUID() };
  await call(201, 'POST', '/v1/auth/register', { body: { ...credentials, name: 'Helm test' } });
  const { body } = await call(200, 'POST', '/v1/auth/login', { body: credentials });
  return body;
}

export const deleteUser = (token) => call(204, 'DELETE', '/v1/users/me', { token });

/** One step of a test, told in the log. */
export async function step(name, run) {
  const result = await run();
  console.log(`ok - ${name}`);
  return result;
}

/** Tries until it does not throw. */
export async function eventually(seconds, attempt) {
  for (const end = Date.now() + seconds * 1000; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
