import { viewOfUser } from '../support/user-view.js';
import { CallContext } from '../../libs/platform/context/call-context.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { Sweeper } from '../../libs/platform/sweeper/sweeper.js';
import { userScope } from '../../libs/platform/context/scope.js';
import { lockTasks, storeChange } from '../../libs/tasks/tasks.repository.js';
import { searchFill } from '../../libs/tasks/search/search-fill.js';
import { patchWrite } from '../../libs/tasks/task-patch.query.js';
import type { TaskPatch } from '../../libs/tasks/tasks.schemas.js';
import { openTasksFixture, type TasksFixture } from './tasks-fixture.js';

let tasks: TasksFixture;
let userId: string;

beforeAll(async () => {
  tasks = await openTasksFixture();
});
beforeEach(() => {
  userId = uuidv7();
});
afterAll(() => tasks.close());

/** As builds do that leave the search vector to Postgres. */
async function addAsBefore(title: string, description = '', tags: readonly string[] = []): Promise<string> {
  const id = uuidv7();
  await tasks.dataSource.query(
    `INSERT INTO tasks.tasks (id, user_id, title, description, status, priority, tags, created_at, updated_at, version)
     VALUES ($1, $2, $3, $4, 'todo', 'none', $5, now(), now(), 1)`,
    [id, userId, title, description, tags],
  );
  return id;
}
const found = async (q: string) => (await tasks.list(userId, { q })).data.map(({ title }) => title);
const tagged = async (tag: string) => (await tasks.list(userId, { tag })).data.map(({ title }) => title);
const versionOf = async (id: string): Promise<number | undefined> => {
  const [row] = await tasks.dataSource.query<{ search_version: number }[]>(
    'SELECT search_version FROM tasks.tasks WHERE id = $1',
    [id],
  );
  return row?.search_version;
};
const fill = async (): Promise<number | undefined> => {
  const sweeper = new Sweeper(
    [{ feature: 'tasks', database: tasks.database, tasks: [], fills: [searchFill] }],
    new Metrics(),
  );
  return (await sweeper.sweep())['tasks.search'];
};
async function patch(id: string, changes: TaskPatch): Promise<void> {
  const { write, values } = patchWrite({ userId, id, patch: changes }, { anyOf: null, noneOf: [] }, null);
  const call = new CallContext();
  call.view = await viewOfUser(tasks.path, userId);
  expect(await call.run(() => tasks.database.writeRow(write, values, { key: id }))).not.toBeNull();
}

const differentCharacters = (count: number): string =>
  Array.from({ length: count }, (_, n) => String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000))).join('');

describe('tasks that were stored by a build of before', () => {
  it('are found by plain words at once, and by all words once the sweeper has stored them anew', async () => {
    const id = await addAsBefore('Café “Größe”', 'TCP/IP notes 讨论预算', ['e\u0301', '\u00e9', "o'x"]);
    expect([await found('notes'), await tagged("o'x"), await versionOf(id)]).toEqual([
      ['Café “Größe”'],
      ['Café “Größe”'],
      0,
    ]);
    expect(await fill()).toBe(1);
    for (const q of ['notes', 'cafe', 'grosse', 'tcp', '预算'])
      expect([q, await found(q)]).toEqual([q, ['Café “Größe”']]);
    for (const tag of ['\u00e9', 'e\u0301', "o'x"]) expect(await tagged(tag)).toEqual(['Café “Größe”']);
    expect([await versionOf(id), await fill()]).toEqual([1, 0]);
    const { data } = await tasks.list(userId);
    expect([data[0]?.tags, data[0]?.version]).toEqual([['\u00e9', "o'x"], 1]);
  });

  it('are found by the words of before until then, and left out by them', async () => {
    await addAsBefore('Café im Park');
    await addAsBefore('Café Łódź');
    expect([await found('café'), await found('CAFÉ -park'), await found('Łódź')]).toEqual([
      ['Café Łódź', 'Café im Park'],
      ['Café Łódź'],
      ['Café Łódź'],
    ]);
    expect([await found('-nothing'), await found('!!!'), await found('café or -nothing')]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('are stored anew however long they are, and those of others, too', async () => {
    await fill();
    for (let n = 0; n < 40; n++) await addAsBefore(`Long ${n}`, differentCharacters(16_384));
    userId = uuidv7();
    await addAsBefore('Öther');
    expect(await fill()).toBe(41);
    expect(await found('other')).toEqual(['Öther']);
  });

  it('have tags in their normal form also where a bulk call changes them before that', async () => {
    const id = await addAsBefore('old', '', ['e\u0301']);
    await tasks.database.write(
      async (manager) => {
        const before = (await lockTasks(manager, userId, [id])).get(id);
        if (before === undefined) throw new Error('It is there.');
        await storeChange(manager, before, { ...before, title: 'new' });
      },
      { scopes: [userScope(userId)] },
    );
    expect([await tagged('\u00e9'), await fill()]).toEqual([['new'], 0]);
    expect((await tasks.list(userId)).data[0]?.tags).toEqual(['\u00e9']);
  });

  it('are looked for in an index that holds them alone, however many there are', async () => {
    await addAsBefore('old');
    await tasks.addTasks(
      userId,
      Array.from({ length: 2000 }, (_, n) => ({ title: `Task ${n}` })),
    );
    const rows = await tasks.dataSource.query<{ 'QUERY PLAN': string }[]>(
      `EXPLAIN ${searchFill.affected}`,
      [200],
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/idx_tasks_search_version/);
    expect(await fill()).toBe(1);
  });

  it('are stored anew in batches, whatever their number', async () => {
    for (let n = 0; n < 450; n++) await addAsBefore(`Übung ${n}`);
    expect(await found('ubung 7')).toEqual([]);
    expect(await fill()).toBe(450);
    expect((await found('ubung')).length).toBe(25);
  });

  it('may be changed by this build before that', async () => {
    const id = await addAsBefore('old title', 'old text', ['old']);
    await patch(id, { title: 'Näher' });
    expect([await found('näher'), await found('text'), await tagged('old'), await versionOf(id)]).toEqual([
      ['Näher'],
      ['Näher'],
      ['Näher'],
      0,
    ]);
    await fill();
    expect([await found('naher'), await found('title'), await tagged('old')]).toEqual([
      ['Näher'],
      [],
      ['Näher'],
    ]);
  });
});

describe('tasks of this build', () => {
  it('keep the words of a title that its description repeats', async () => {
    const [task] = await tasks.addTasks(userId, [{ title: 'word alpha', description: 'word '.repeat(300) }]);
    expect(await found('"word alpha"')).toEqual(['word alpha']);
    await patch(task?.id ?? '', { description: 'short' });
    expect([await found('word'), await found('"word alpha"')]).toEqual([['word alpha'], ['word alpha']]);
  });

  it('have no phrase that begins in the description and ends in the title', async () => {
    await tasks.addTasks(userId, [
      { title: 'start of title', description: `${differentCharacters(14_997)}b last` },
    ]);
    expect([await found('"last start"'), await found('"b last"')]).toEqual([[], ['start of title']]);
  });

  it('may be changed by a build of before, and are stored anew then', async () => {
    const [task] = await tasks.addTasks(userId, [{ title: 'Füße', description: 'TCP/IP', tags: ['a'] }]);
    const id = task?.id ?? '';
    const change = (set: string) =>
      tasks.dataSource.query(`UPDATE tasks.tasks SET ${set}, version = version + 1 WHERE id = $1`, [id]);
    await change(`priority = 'high'`);
    expect([await versionOf(id), await found('fusse')]).toEqual([1, ['Füße']]);
    await change(`title = 'Hände'`);
    expect([await versionOf(id), await found('hände'), await found('fusse')]).toEqual([0, ['Hände'], []]);
    expect(await fill()).toBe(1);
    expect([await found('hande'), await found('tcp')]).toEqual([['Hände'], ['Hände']]);
    await change(`tags = '{b}'`);
    expect([await tagged('b'), await tagged('a')]).toEqual([['Hände'], []]);
  });

  it('keep their words where a title is changed again and again beside a long description', async () => {
    const [task] = await tasks.addTasks(userId, [
      { title: 'one two', description: `${'字'.repeat(16_000)} the end` },
    ]);
    for (let n = 0; n < 30; n++) await patch(task?.id ?? '', { title: `one two ${n}` });
    for (const q of ['"one two 29"', '"the end"', '字字'])
      expect([q, await found(q)]).toEqual([q, ['one two 29']]);
    await patch(task?.id ?? '', { description: 'short' });
    for (const q of ['"one two 29"', 'short']) expect([q, await found(q)]).toEqual([q, ['one two 29']]);
  });
});
