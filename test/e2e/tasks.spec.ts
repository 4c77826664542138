import { randomUUID } from 'node:crypto';
import { expectProblem } from '../support/problem.js';
import { newCaller, type Caller } from './tasks-fixture.js';

let user: Caller;
let stranger: Caller;

beforeAll(async () => {
  [user, stranger] = await Promise.all([newCaller(), newCaller()]);
});
afterAll(() => {
  user.close();
  stranger.close();
});

const patch = (id: string, body: unknown, headers = {}) => user.call('PATCH', `/${id}`, { body, headers });
const times = <T>(count: number, run: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => run(n)));

describe('a new task', () => {
  it('requires only a title', async () => {
    const answer = await user.call('POST', '', { body: { title: '  Write the report ' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      title: 'Write the report',
      description: '',
      status: 'todo',
      priority: 'none',
      due_at: null,
      tags: [],
      completed_at: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updated_at: answer.body.created_at,
      version: 1,
    });
    expect(answer.headers['location']).toBe(`/v1/tasks/${answer.body.id}`);
    const read = await user.call('GET', `/${answer.body.id}`);
    expect([read.body, read.headers['etag']]).toEqual([answer.body, answer.headers['etag']]);
  });

  it('stores all fields: times in UTC to the millisecond, tags without duplicates and in order', async () => {
    const task = await user.create({
      description: 'with\nlines and 💡',
      status: 'done',
      priority: 'urgent',
      due_at: '2026-12-24T18:00:00.1239+01:00',
      tags: [' b ', 'a', 'B', 'a', 'b'],
    });
    expect(task).toMatchObject({
      description: 'with\nlines and 💡',
      due_at: '2026-12-24T17:00:00.123Z',
      tags: ['b', 'a', 'B'],
      completed_at: task.created_at,
    });
  });

  it('accepts values at their limits and none beyond', async () => {
    const full = { title: '💡'.repeat(500), description: 'ü'.repeat(16_384) };
    const tags = Array.from({ length: 20 }, (_, n) => `${'t'.repeat(48)}${String(n).padStart(2, '0')}`);
    expect(await user.create({ ...full, tags })).toMatchObject({ ...full, tags });
    for (const [field, value] of [
      ['title', 'x'.repeat(501)],
      ['title', ' '],
      ['description', 'x'.repeat(16_385)],
      ['tags', [...tags, 'one more']],
      ['tags', ['x'.repeat(51)]],
      ['tags', ['']],
      ['status', 'doing'],
      ['priority', 3],
      ['due_at', 'tomorrow'],
      ['due_at', '2026-02-30T00:00:00Z'],
      ['completed_at', '2026-01-01T00:00:00Z'],
    ] as const) {
      const answer = await user.call('POST', '', { body: { title: 'x', [field]: value } });
      const problem = expectProblem(answer, 422, 'validation_failed');
      expect(problem.errors?.[0]?.pointer.split('/')[1]).toBe(field);
    }
  });
});

describe('a retried POST', () => {
  const post = (key: string, body: unknown = { title: 'Once' }, path = '') =>
    user.call('POST', path, { body, headers: { 'idempotency-key': key } });

  it('answers as before and makes one task', async () => {
    const key = randomUUID();
    const [first, second] = [await post(key), await post(key)];
    expect([second.status, second.body, second.headers['location'], second.headers['etag']]).toEqual([
      201,
      first.body,
      first.headers['location'],
      first.headers['etag'],
    ]);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
  });

  it('makes one task of fifty at once', async () => {
    const key = randomUUID();
    const title = `Fifty ${key}`;
    const answers = await times(50, () => post(key, { title }));
    const statuses = new Set(answers.map(({ status }) => status));
    statuses.delete(409);
    expect([...statuses]).toEqual([201]);
    for (const answer of answers.filter(({ status }) => status === 409))
      expectProblem(answer, 409, 'idempotency_in_flight');
    expect(new Set(answers.filter((a) => a.status === 201).map(({ body }) => body.id)).size).toBe(1);
    expect((await user.list(`?q=${encodeURIComponent(`"${title}"`)}`)).data).toHaveLength(1);
  });

  it('is refused for another body, and the key can be used again after a failure', async () => {
    const key = randomUUID();
    expectProblem(await post(key, { title: '' }), 422, 'validation_failed');
    expect((await post(key)).status).toBe(201);
    expectProblem(await post(key, { title: 'Other' }), 422, 'idempotency_mismatch');
  });

  it('is independent of another user’s request with the same key', async () => {
    const key = randomUUID();
    const mine = await post(key);
    const theirs = await stranger.call('POST', '', {
      body: { title: 'Once' },
      headers: { 'idempotency-key': key },
    });
    expect([theirs.status, theirs.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it('works for bulk and for restore too', async () => {
    const key = randomUUID();
    const bulk = { operations: [{ op: 'create', data: { title: `Bulk ${key}` } }] };
    const answers = [await post(key, bulk, '/bulk'), await post(key, bulk, '/bulk')];
    expect(answers[1]?.body).toEqual(answers[0]?.body);
    const { data } = await user.list(`?q=${key}`);
    expect(data).toHaveLength(1);
    const id = data[0]?.id ?? '';
    await user.call('DELETE', `/${id}`);
    const restore = () => user.call('POST', `/${id}/restore`, { headers: { 'idempotency-key': `${key}r` } });
    const [first, second] = [await restore(), await restore()];
    expect([first.status, second.status, second.body]).toEqual([200, 200, first.body]);
    expectProblem(await user.call('POST', `/${id}/restore`), 409, 'task_not_deleted');
  });
});

describe('reading a task', () => {
  it('answers 304 to a client that has the current version', async () => {
    const { id } = await user.create();
    const etag = (await user.call('GET', `/${id}`)).headers['etag'] ?? '';
    for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await user.call('GET', `/${id}`, { headers: { 'if-none-match': condition } });
      expect([answer.status, answer.text, answer.headers['etag']]).toEqual([304, '', etag]);
    }
    for (const condition of [`${etag},`, `, ,${etag}`]) {
      const answer = await user.call('GET', `/${id}`, { headers: { 'if-none-match': condition } });
      expect(answer.status).toBe(304);
    }
    await patch(id, { title: 'Changed' });
    const changed = await user.call('GET', `/${id}`, { headers: { 'if-none-match': etag } });
    expect([changed.status, changed.body.title]).toEqual([200, 'Changed']);
  });
});

describe('every condition', () => {
  it('is honoured by every method', async () => {
    const { id } = await user.create();
    const call = (method: string, headers: Readonly<Record<string, string>>) =>
      user.call(method, `/${id}`, { headers, ...(method === 'PATCH' && { body: { title: 'x' } }) });
    const stale = await call('GET', { 'if-match': '"9"' });
    expectProblem(stale, 412, 'precondition_failed');
    expect(stale.headers['etag']).toBe('"1"');
    for (const condition of ['"1"', '"9", "1"', '*'])
      expect((await call('GET', { 'if-match': condition })).status).toBe(200);
    for (const method of ['PATCH', 'DELETE'])
      for (const condition of ['"1"', 'W/"1"', '"9", "1",', '*'])
        expectProblem(await call(method, { 'if-none-match': condition }), 412, 'precondition_failed');
    expectProblem(await call('PATCH', { 'if-match': '"1"', 'if-none-match': '"1"' }), 412);
    expect((await call('PATCH', { 'if-match': '"1"', 'if-none-match': '"9"' })).body.version).toBe(2);
    expect((await call('DELETE', { 'if-none-match': '"1"' })).status).toBe(204);
    for (const address of ['', '/stats'])
      expectProblem(await user.call('GET', address, { headers: { 'if-match': '"x"' } }), 412);
  });
});

describe('a patch', () => {
  it('changes the given fields, and null restores the default of a field', async () => {
    const full = { description: 'd', status: 'in_progress', priority: 'high', tags: ['a'] };
    const task = await user.create({ ...full, due_at: '2026-12-24T17:00:00.000Z' });
    const { body } = await patch(task.id, { priority: 'low' });
    expect(body).toEqual({ ...task, priority: 'low', version: 2, updated_at: body.updated_at });
    const reset = await user.call('PATCH', `/${task.id}`, {
      raw: '{"description":null,"status":null,"priority":null,"tags":null,"due_at":null}',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(reset.body).toMatchObject({
      ...{ title: 'Task', description: '', status: 'todo', priority: 'none', tags: [], due_at: null },
      version: 3,
    });
    expect(reset.headers['etag']).toBe((await user.call('GET', `/${task.id}`)).headers['etag']);
    expectProblem(await patch(task.id, { title: null }), 422, 'validation_failed');
  });

  it('keeps version and time if nothing changes', async () => {
    const task = await user.create({ tags: ['a'], due_at: '2026-12-24T17:00:00.000Z' });
    for (const nothing of [
      {},
      { title: ' Task ' },
      { tags: ['a', 'a'], due_at: '2026-12-24T18:00:00+01:00' },
    ])
      expect((await patch(task.id, nothing)).body).toEqual(task);
  });

  it('stores once when a task was done, and clears it when it is reopened', async () => {
    const { id } = await user.create();
    const done = (await patch(id, { status: 'done' })).body;
    expect(done.completed_at).toBe(done.updated_at);
    expect((await patch(id, { status: 'done', title: 'Still' })).body.completed_at).toBe(done.completed_at);
    expect((await patch(id, { status: 'cancelled' })).body.completed_at).toBeNull();
  });

  it('succeeds for one of fifty that name the same version', async () => {
    const { id } = await user.create();
    const etag = (await user.call('GET', `/${id}`)).headers['etag'];
    const answers = await times(50, (n) => patch(id, { title: `Patch ${n}` }, { 'if-match': etag }));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(49).fill(412)]);
    const current = await user.call('GET', `/${id}`);
    expect(current.body.version).toBe(2);
    const stale = answers.find(({ status }) => status === 412);
    expect(stale?.headers['etag']).toBe(current.headers['etag']);
  });

  it('is not lost among fifty concurrent ones of different fields and versions', async () => {
    const { id } = await user.create();
    const answers = await times(50, (n) => patch(id, { title: `Patch ${n}` }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.map(({ body }) => body.version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, n) => n + 2),
    );
  });

  it('is refused if its condition is not a list of ETags', async () => {
    const { id } = await user.create();
    expectProblem(await patch(id, { title: 'x' }, { 'if-match': '1' }), 400, 'malformed_etag');
    expectProblem(await patch(id, { title: 'x' }, { 'if-match': 'W/"1"' }), 412, 'precondition_failed');
    expect((await patch(id, { title: 'x' }, { 'if-match': '"9", "1"' })).status).toBe(200);
    expect((await patch(id, { title: 'y' }, { 'if-match': '*' })).status).toBe(200);
  });
});

describe('the trash', () => {
  it('hides a task and restores it', async () => {
    const task = await user.create({ title: 'Trash me', tags: ['trash'] });
    const etag = (await user.call('GET', `/${task.id}`)).headers['etag'] ?? '';
    const deleted = await user.call('DELETE', `/${task.id}`);
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expectProblem(await user.call('GET', `/${task.id}`), 404, 'task_not_found');
    expectProblem(await patch(task.id, { title: 'x' }), 404, 'task_not_found');
    expectProblem(await user.call('DELETE', `/${task.id}`), 404, 'task_not_found');
    expect((await user.list('?tag=trash')).data).toEqual([]);
    expect((await user.list('?tag=trash&deleted=true')).data).toEqual([task]);
    expectProblem(await user.call('POST', `/${task.id}/restore`, { headers: { 'if-match': '"99"' } }), 412);
    const restored = await user.call('POST', `/${task.id}/restore`, { headers: { 'if-match': etag } });
    expect(restored.body).toEqual({ ...task, version: 2, updated_at: restored.body.updated_at });
    expect(restored.headers['etag']).not.toBe(etag);
    expect((await user.list('?tag=trash')).data).toEqual([restored.body]);
  });

  it('accepts a task only at the given version', async () => {
    const { id } = await user.create();
    const etag = (await user.call('GET', `/${id}`)).headers['etag'] ?? '';
    await patch(id, { title: 'Newer' });
    const stale = await user.call('DELETE', `/${id}`, { headers: { 'if-match': etag } });
    expectProblem(stale, 412, 'precondition_failed');
    const current = stale.headers['etag'] ?? '';
    expect((await user.call('DELETE', `/${id}`, { headers: { 'if-match': current } })).status).toBe(204);
  });

  it('restores a task once for fifty concurrent requests', async () => {
    const { id } = await user.create();
    await user.call('DELETE', `/${id}`);
    const answers = await times(50, () => user.call('POST', `/${id}/restore`));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(49).fill(409)]);
  });
});

describe('a task of another user', () => {
  it('does not exist for any method, in the trash or not', async () => {
    const { id } = await user.create();
    const verbs = [
      () => stranger.call('GET', `/${id}`),
      () => stranger.call('PATCH', `/${id}`, { body: { title: 'Mine' } }),
      () => stranger.call('DELETE', `/${id}`, { headers: { 'if-match': '"1"' } }),
      () => stranger.call('POST', `/${id}/restore`),
    ];
    for (const verb of verbs) expectProblem(await verb(), 404, 'task_not_found');
    await user.call('DELETE', `/${id}`);
    for (const verb of verbs) expectProblem(await verb(), 404, 'task_not_found');
    expect((await stranger.list(`?deleted=true`)).data.filter((task) => task.id === id)).toEqual([]);
    expect((await user.call('POST', `/${id}/restore`)).status).toBe(200);
  });

  it('is found by its owner by its id in upper or lower case', async () => {
    const { id } = await user.create();
    expect((await user.call('GET', `/${id.toUpperCase()}`)).body.id).toBe(id);
    expect((await user.call('PATCH', `/${id.toUpperCase()}`, { body: { title: 'x' } })).status).toBe(200);
  });
});
