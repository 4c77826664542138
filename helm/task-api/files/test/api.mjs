// What a client does first, asked of the Service.
import assert from 'node:assert/strict';
import { call, deleteUser, newUser, step } from './client.mjs';

await step('the API is up', () => call(200, 'GET', '/healthz'));
const login = await step('a user registers and logs in', newUser);
const token = login.access_token;
const created = await step('writes a task', () =>
  call(201, 'POST', '/v1/tasks', { token, body: { title: 'helm test', tags: ['helm'] } }),
);
await step('reads it back', async () => {
  const { body } = await call(200, 'GET', `/v1/tasks/${created.body.id}`, { token });
  assert.deepEqual(body, created.body);
});
await step('finds it in the list', async () => {
  const { body } = await call(200, 'GET', '/v1/tasks?tag=helm', { token });
  assert.deepEqual(body.data, [created.body]);
});
const refreshed = await step('refreshes the session', async () => {
  const { body } = await call(200, 'POST', '/v1/auth/refresh', {
    body: { refresh_token: login.refresh_token },
  });
  assert.notEqual(body.refresh_token, login.refresh_token);
  return body;
});
await step('deletes the account', () => deleteUser(refreshed.access_token));
await step('whose tokens are refused from then on', () => call(401, 'GET', '/v1/tasks', { token }));
