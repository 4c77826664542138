import { randomUUID } from 'node:crypto';
import { expectProblem, type Problem } from '../support/problem.js';
import { newCaller, type Caller, type TaskBody } from './tasks-fixture.js';

interface BulkBody {
  readonly results: readonly { status: number; task?: TaskBody; problem?: Problem }[];
}

let user: Caller;

beforeAll(async () => {
  user = await newCaller();
});
afterAll(() => user.close());

const bulk = (operations: readonly unknown[], options = {}) =>
  user.call<BulkBody>('POST', '/bulk', { body: { operations, ...options } });
const create = (title: string) => ({ op: 'create', data: { title } });
const update = (id: string, data: object, more = {}) => ({ op: 'update', id, data, ...more });
const remove = (id: string, more = {}) => ({ op: 'delete', id, ...more });

describe('a bulk call', () => {
  it('answers each operation as it would be answered alone, in order', async () => {
    const [a, b] = [await user.create({ title: 'a' }), await user.create({ title: 'b' })];
    const { status, body } = await bulk([remove(a.id), create('c'), update(b.id, { status: 'done' })]);
    expect([status, body.results.map((result) => result.status)]).toEqual([200, [204, 201, 200]]);
    expect(body.results[0]).toEqual({ status: 204 });
    expect(body.results[1]?.task).toMatchObject({ title: 'c', version: 1 });
    expect(body.results[2]?.task).toMatchObject({ id: b.id, status: 'done', version: 2 });
    for (const task of body.results.flatMap((result) => result.task ?? []))
      expect((await user.call('GET', `/${task.id}`)).body).toEqual(task);
    expectProblem(await user.call('GET', `/${a.id}`), 404);
  });

  it('sees the effects of its earlier operations', async () => {
    const { id } = await user.create();
    const { body } = await bulk([
      update(id, { title: 'one' }, { if_version: 1 }),
      update(id, { title: 'two' }, { if_version: 2 }),
      update(id, { title: 'two' }),
    ]);
    expect(body.results.map(({ task }) => [task?.title, task?.version])).toEqual([
      ['one', 2],
      ['two', 3],
      ['two', 3],
    ]);
    expect((await user.call('GET', `/${id}`)).body).toMatchObject({ title: 'two', version: 3 });
    expectProblem(await bulk([remove(id), update(id, { title: 'three' })]), 404);
    expect((await user.call('GET', `/${id}`)).status).toBe(200);
  });

  it('accepts at most a hundred operations', async () => {
    const title = `Hundred ${randomUUID()}`;
    const hundred = Array.from({ length: 100 }, (_, n) => create(`${title} ${n}`));
    const { body } = await bulk(hundred);
    expect(body.results.map(({ task }) => task?.title)).toEqual(hundred.map(({ data }) => data.title));
    const { data } = await user.list(`?limit=100&sort=created_at&q=${encodeURIComponent(`"${title}"`)}`);
    expect(data.map((task) => task.title)).toEqual(hundred.map((operation) => operation.data.title));
    expectProblem(await bulk([...hundred, create('x')]), 422, 'validation_failed');
    expectProblem(await bulk([]), 422, 'validation_failed');
  });

  it('is refused as a whole for invalid operations, with their positions', async () => {
    const title = randomUUID();
    const operations = [
      ...[create(title), update('nobody', {})],
      ...[{ op: 'create', data: { title, tags: [1] } }, { op: 'move' }],
    ];
    const problem = expectProblem(await bulk(operations), 422, 'validation_failed');
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual([
      '/operations/1/id',
      '/operations/2/data/tags/0',
      '/operations/3/op',
    ]);
    expect((await user.list(`?q=${title}`)).data).toEqual([]);
  });
});

describe('an atomic bulk call', () => {
  it('fails as its first failing operation does, points to it, and applies nothing', async () => {
    const task = await user.create({ title: 'Untouched' });
    const title = randomUUID();
    const cases = [
      { failing: update(randomUUID(), { title: 'x' }), status: 404, code: 'task_not_found' },
      { failing: remove(task.id, { if_version: 7 }), status: 412, code: 'precondition_failed' },
    ];
    for (const { failing, status, code } of cases) {
      const answer = await bulk([
        create(title),
        update(task.id, { title: 'x' }),
        failing,
        remove(randomUUID()),
      ]);
      const problem = expectProblem(answer, status, code);
      expect(problem.errors).toEqual([{ pointer: '/operations/2', code, message: problem.detail }]);
    }
    expect((await user.call('GET', `/${task.id}`)).body).toEqual(task);
    expect((await user.list(`?q=${title}`)).data).toEqual([]);
  });

  it('names the version that is stored, not one that an operation before would have made', async () => {
    const { id } = await user.create();
    const rename = () => update(id, { title: 'Renamed' }, { if_version: 1 });
    const answer = await bulk([rename(), rename()]);
    const { detail } = expectProblem(answer, 412, 'precondition_failed');
    expect([answer.headers['etag'], detail]).toEqual(['"1"', expect.stringContaining('at version 2 after')]);
    expect((await user.call('GET', `/${id}`)).headers['etag']).toBe('"1"');
  });
});

describe('a bulk call that is not atomic', () => {
  it('applies what it can and reports the rest', async () => {
    const [a, b] = [await user.create({ title: 'a' }), await user.create({ title: 'b' })];
    const { status, body } = await bulk(
      [
        update(a.id, { title: 'A' }, { if_version: 9 }),
        update(b.id, { title: 'B' }),
        remove(randomUUID()),
        create('c'),
      ],
      { atomic: false },
    );
    expect([status, body.results.map((result) => result.status)]).toEqual([200, [412, 200, 404, 201]]);
    expect(body.results[0]?.problem).toEqual({
      type: 'urn:task-api:problem:precondition_failed',
      title: 'Precondition Failed',
      status: 412,
      detail: expect.stringContaining('version 1'),
      code: 'precondition_failed',
      errors: [expect.objectContaining({ pointer: '/operations/0' })],
    });
    expect(body.results[2]?.problem?.errors?.[0]?.pointer).toBe('/operations/2');
    expect((await user.call('GET', `/${a.id}`)).body.title).toBe('a');
    expect((await user.call('GET', `/${b.id}`)).body.title).toBe('B');
  });

  it('fails an operation that is not valid by itself', async () => {
    const title = `Good ${randomUUID()}`;
    const answer = await bulk(
      [
        create(title),
        create(''),
        { op: 'create', data: { title: 'a', colour: 'red' } },
        { op: 'paint' },
        update('no-id', { title: 'x' }),
        { op: 'invalid', issues: [] },
        null,
      ],
      { atomic: false },
    );
    expect(answer.status).toBe(200);
    expect(
      answer.body.results.map(({ status, problem }) => [
        status,
        problem?.code,
        problem?.errors?.[0]?.pointer,
      ]),
    ).toEqual([
      [201, undefined, undefined],
      [422, 'validation_failed', '/operations/1/data/title'],
      [422, 'validation_failed', '/operations/2/data/colour'],
      [422, 'validation_failed', '/operations/3/op'],
      [422, 'validation_failed', '/operations/4/id'],
      [422, 'validation_failed', '/operations/5/op'],
      [422, 'validation_failed', '/operations/6'],
    ]);
    expect((await user.list(`?sort=-created_at&limit=1`)).data[0]?.title).toBe(title);
  });

  it('is refused as a whole where the call itself is not valid', async () => {
    for (const operations of [[], Array.from({ length: 101 }, () => create('a')), 'none'])
      expectProblem(
        await user.call('POST', '/bulk', { body: { operations, atomic: false } }),
        422,
        'validation_failed',
      );
  });

  it('waits for other calls on the same tasks in any order, instead of deadlocking', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await user.create()).id));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => {
        const order = n % 2 === 0 ? ids : [...ids].reverse();
        return bulk(order.map((id) => update(id, { title: `Round ${n}` })));
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const tasks = await Promise.all(ids.map(async (id) => (await user.call('GET', `/${id}`)).body));
    expect(tasks.map(({ version }) => version)).toEqual(ids.map(() => 21));
    expect(new Set(tasks.map(({ title }) => title)).size).toBe(1);
  });
});
