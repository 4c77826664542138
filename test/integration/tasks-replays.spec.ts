import { createHash, randomUUID } from 'node:crypto';
import { startApi, type Api } from '../support/api.js';
import { client, type Client, type Session } from '../support/client.js';
import { runSql } from '../support/test-database.js';

let api: Api;
let caller: Client;
let user: Session;

beforeAll(async () => {
  api = await startApi();
  caller = client(api.url);
  user = await caller.registerAndLogin();
});
afterAll(async () => {
  caller.close();
  await api.stop();
});

const post = (path: string, key: string, body: unknown, headers = {}) =>
  caller.request<{ id: string }>('POST', path, {
    token: user.accessToken,
    ...(body !== undefined && { body }),
    headers: { 'idempotency-key': key, ...headers },
  });
const create = { title: 'Once', due_at: '2026-12-24T18:00:00.123Z', tags: ['a'] };

describe('a replayed answer', () => {
  it.each([
    ['/v1/tasks', create],
    ['/v1/tasks/bulk', { operations: [{ op: 'create', data: create }] }],
    [
      '/v1/tasks/bulk',
      {
        operations: [
          { op: 'create', data: create },
          { op: 'delete', id: randomUUID() },
        ],
        atomic: false,
      },
    ],
  ])('equals the first one, byte for byte: %s %j', async (path, body) => {
    const key = randomUUID();
    const [first, second] = [await post(path, key, body), await post(path, key, body)];
    expect([second.status, second.text]).toEqual([first.status, first.text]);
    for (const name of ['location', 'etag', 'content-type'])
      expect(second.headers[name]).toBe(first.headers[name]);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
  });

  it('of a restored task equals the first one, whatever happened to the task since', async () => {
    const { body: task } = await post('/v1/tasks', randomUUID(), create);
    const path = `/v1/tasks/${task.id}`;
    await caller.request('DELETE', path, { token: user.accessToken });
    const key = randomUUID();
    const first = await post(`${path}/restore`, key, undefined);
    await caller.request('PATCH', path, { token: user.accessToken, body: { title: 'Later' } });
    const second = await post(`${path}/restore`, key, undefined, { 'if-match': '"99"' });
    expect([second.status, second.text, second.headers['etag']]).toEqual([200, first.text, '"2"']);
  });

  it('may have been stored by a version before 0.2, as an HTTP response', async () => {
    const key = randomUUID();
    const content = JSON.stringify(['POST', '/v1/tasks', create]);
    const headers = { location: '/v1/tasks/1', etag: '"1"' };
    await runSql(
      api.databaseUrl,
      `INSERT INTO tasks.idempotency_keys (user_id, key, fingerprint, status, headers, body)
       VALUES ($1, $2, $3, 201, $4, $5)`,
      [
        ...[user.userId, key, createHash('sha256').update(content).digest()],
        ...[JSON.stringify(headers), '{"id":"1","title":"As it was"}'],
      ],
    );
    const answer = await post('/v1/tasks', key, create);
    expect([answer.status, answer.text]).toEqual([201, '{"id":"1","title":"As it was"}']);
    expect(answer.headers).toMatchObject({ ...headers, 'idempotency-replayed': 'true' });
  });

  it('is what was answered then, where a version with another shape of tasks has stored it', async () => {
    const key = randomUUID();
    const first = await post('/v1/tasks', key, create);
    // A field that this version does not know, and one that it knows and that version did not.
    const stored = `jsonb_set(body::jsonb, '{colour}', '"red"') - 'tags'`;
    await runSql(api.databaseUrl, `UPDATE tasks.idempotency_keys SET body = ${stored} WHERE key = $1`, [key]);
    const { tags: _tags, ...rest } = JSON.parse(first.text) as Record<string, unknown>;
    const again = await post('/v1/tasks', key, create);
    expect([again.status, again.body]).toEqual([201, { ...rest, colour: 'red' }]);
    expect(again.headers).toMatchObject({ etag: '"1"', location: first.headers['location'] });
  });
});
