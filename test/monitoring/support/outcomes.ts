import { randomUUID } from 'node:crypto';
import { client, type Client } from '../../support/client.js';
import type { Stage } from './stage.js';

/** Makes calls with every kind of outcome except 5xx, in all features. Returns the statuses. */
export async function causeOutcomes(stage: Stage): Promise<ReadonlySet<number>> {
  const seen = new Set<number>();
  for (const { url } of stage.apis) {
    for (const status of [
      ...(await useAll(client(url))),
      ...(await failLogins(client(url, '127.0.0.8'))),
      ...(await lag(stage, client(url))),
    ]) {
      seen.add(status);
    }
  }
  for (const status of await surge(stage)) seen.add(status);
  return seen;
}

async function useAll(calls: Client): Promise<readonly number[]> {
  const { accessToken: token, refreshToken, email, password } = await calls.registerAndLogin();
  const statuses: number[] = [];
  const send = async (method: string, path: string, body?: unknown, headers = {}) => {
    const answer = await calls.request<{ id: string }>(method, path, {
      token,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    statuses.push(answer.status);
    return answer;
  };
  const task = `/v1/tasks/${(await send('POST', '/v1/tasks', { title: 'Watched' })).body.id}`;
  const create = { op: 'create', data: { title: 'One of many' } };
  await send('GET', task);
  await send('GET', task, undefined, { 'if-none-match': '"1"' });
  await send('PATCH', task, { title: 'Outdated' }, { 'if-match': '"99"' });
  await send('PATCH', task, { status: 'done' }, { 'idempotency-key': randomUUID() });
  await send('PATCH', task, { unknown: 1 });
  await send('GET', '/v1/tasks?q=watched');
  await send('GET', '/v1/tasks?limit=2');
  await send('GET', '/v1/tasks/stats');
  await send('POST', '/v1/tasks/bulk', { operations: [create, create] });
  await send('POST', '/v1/tasks/bulk', { operations: [{ op: 'delete', id: randomUUID() }] });
  await send('DELETE', task);
  await send('GET', task);
  await send('POST', `${task}/restore`);
  await send('GET', '/v1/users/me');
  await send('PATCH', '/v1/users/me', { name: 'Grace Hopper' });
  await send('GET', '/v1/users/me/export');
  await send('GET', '/v1/auth/sessions');
  await send('GET', '/v1/nowhere');
  await send('GET', '/healthz');
  const refresh = { refresh_token: refreshToken };
  statuses.push((await calls.request('POST', '/v1/auth/refresh', { body: refresh })).status);
  statuses.push((await calls.request('GET', '/v1/tasks')).status);
  await send('POST', '/v1/auth/password/change', {
    current_password: password,
    new_password: `${password}!`,
  });
  await send('POST', '/v1/auth/password/forgot', { email });
  await send('POST', '/v1/auth/logout', {});
  calls.close();
  return statuses;
}

/** Repeats failed logins until the e-mail is blocked. */
async function failLogins(calls: Client): Promise<readonly number[]> {
  const { email } = await calls.registerAndLogin();
  const statuses: number[] = [];
  for (let n = 0; n < 5; n++) {
    const body = { email, password: 'wrong, but long enough' };
    statuses.push((await calls.request('POST', '/v1/auth/login', { body })).status);
  }
  calls.close();
  return statuses;
}

/** Reads data that a replica with paused replay cannot have yet. */
async function lag({ replica }: Stage, calls: Client): Promise<readonly number[]> {
  const { accessToken: token } = await calls.registerAndLogin();
  await replica.pauseReplay();
  try {
    const body = { title: 'Not yet there' };
    const created = await calls.request<{ id: string }>('POST', '/v1/tasks', { token, body });
    const read = await calls.request('GET', `/v1/tasks/${created.body.id}`, { token });
    return [created.status, read.status];
  } finally {
    await replica.resumeReplay();
    calls.close();
  }
}

const strangersAtOnce = 8;

/** Makes calls without a token until the address exceeds its limit. */
export async function surge({ apis }: Stage, calls = 400): Promise<readonly number[]> {
  const strangers = apis.map(({ url }) => client(url, '127.0.0.9'));
  const statuses: number[] = [];
  const work = async (first: number): Promise<void> => {
    for (let n = first; n < calls; n += strangersAtOnce) {
      const answer = await strangers[n % strangers.length]?.request('GET', '/v1/tasks');
      if (answer !== undefined) statuses.push(answer.status);
    }
  };
  await Promise.all(Array.from({ length: strangersAtOnce }, (_, n) => work(n)));
  for (const stranger of strangers) stranger.close();
  return statuses;
}
