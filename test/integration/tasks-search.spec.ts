import fc from 'fast-check';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import type { TaskQuery } from '../../libs/tasks/list/task-query.schema.js';
import { defaultSort } from '../../libs/tasks/list/task-sort.js';
import { openTasksFixture, type QueryInput, type TasksFixture } from './tasks-fixture.js';

let tasks: TasksFixture;
let userId: string;

beforeAll(async () => {
  tasks = await openTasksFixture();
});
beforeEach(() => {
  userId = uuidv7();
});
afterAll(() => tasks.close());

/** Bypasses the validation of a request, which accepts less than the database must handle. */
const anyList: TaskQuery = { limit: 1, deleted: false, sort: [...defaultSort] };
const titlesFor = async (query: QueryInput, user = userId) =>
  (await tasks.list(user, { sort: 'title', limit: '100', ...query })).data.map(({ title }) => title);

describe('a search', () => {
  it('finds words in title and description, whatever their case, and those that begin with the last one', async () => {
    await tasks.addTasks(userId, [
      { title: 'Quarterly REPORT' },
      { title: 'Lunch', description: 'with a report\nafter it' },
      { title: 'Reporting' },
      { title: 'Straße nach Zürich' },
    ]);
    expect(await titlesFor({ q: 'report' })).toEqual(['Lunch', 'Quarterly REPORT', 'Reporting']);
    expect(await titlesFor({ q: '"report"' })).toEqual(['Lunch', 'Quarterly REPORT']);
    expect(await titlesFor({ q: 'ZÜRICH' })).toEqual(['Straße nach Zürich']);
    expect(await titlesFor({ q: 'port' })).toEqual([]);
  });

  it('takes several words, alternatives, phrases and exclusions', async () => {
    await tasks.addTasks(userId, [
      { title: 'red green blue' },
      { title: 'red blue green' },
      { title: 'green' },
      { title: 'yellow' },
    ]);
    expect(await titlesFor({ q: 'green red' })).toEqual(['red blue green', 'red green blue']);
    expect(await titlesFor({ q: '"green blue"' })).toEqual(['red green blue']);
    expect(await titlesFor({ q: 'yellow or "blue green"' })).toEqual(['red blue green', 'yellow']);
    expect(await titlesFor({ q: 'green -red' })).toEqual(['green']);
  });

  it('finds nothing if it contains no word to search for', async () => {
    await tasks.addTasks(userId, [{ title: 'anything' }]);
    for (const q of ['!!!', '-nothing', '"', '()', ':*', 'or', '-nothing or -nowhere'])
      expect([q, await titlesFor({ q })]).toEqual([q, []]);
    expect(await titlesFor({ q: 'anything or -nothing' })).toEqual(['anything']);
  });

  it('ranks a title before a description, and is stable', async () => {
    await tasks.addTasks(userId, [
      { title: 'Lunch', description: 'with the report' },
      { title: 'The report' },
    ]);
    for (const sort of ['relevance', '-relevance'])
      expect(await titlesFor({ q: 'report', sort })).toEqual(['The report', 'Lunch']);
  });

  it('finds nothing of another user, even of one with the same hash', async () => {
    const neighbour = userId.replace(/^.{8}/, 'ffffffff');
    await tasks.addTasks(neighbour, [{ title: 'secret plan', tags: ['secret'] }]);
    await tasks.addTasks(userId, [{ title: 'my plan' }]);
    expect(await titlesFor({ q: 'plan' })).toEqual(['my plan']);
    expect(await titlesFor({ q: 'plan', sort: 'relevance' })).toEqual(['my plan']);
    expect(await titlesFor({ tag: 'secret' })).toEqual([]);
    expect(await titlesFor({ tag: 'secret' }, neighbour)).toEqual(['secret plan']);
  });

  it('searches tags only in a tag filter, and only whole tags', async () => {
    await tasks.addTasks(userId, [{ title: 'a', tags: ['big plan', 'Plan'] }, { title: 'plan' }]);
    expect(await titlesFor({ q: 'plan' })).toEqual(['plan']);
    expect(await titlesFor({ tag: 'plan' })).toEqual([]);
    expect(await titlesFor({ tag: 'big plan' })).toEqual(['a']);
    expect(await titlesFor({ tag: ['big plan', 'Plan'], q: 'a' })).toEqual(['a']);
  });

  it('reflects changes of words and tags', async () => {
    const [task] = await tasks.addTasks(userId, [{ title: 'before', tags: ['old'] }]);
    await tasks.dataSource.query(`UPDATE tasks.tasks SET title = 'after', tags = '{new}' WHERE id = $1`, [
      task?.id,
    ]);
    expect([await titlesFor({ q: 'before' }), await titlesFor({ tag: 'old' })]).toEqual([[], []]);
    expect([await titlesFor({ q: 'after' }), await titlesFor({ tag: 'new' })]).toEqual([
      ['after'],
      ['after'],
    ]);
  });

  it('stores any text and any tag, and accepts any query', async () => {
    const awkward = fc.constantFrom(
      "'",
      '"',
      '\\',
      ' ',
      '\t',
      '\n',
      ':',
      '*',
      '&',
      '|',
      '!',
      '(',
      ')',
      '<->',
      '<a href="x">',
    );
    const word = fc.constantFrom(
      'http://a.b/c?d=e',
      'a@b.c',
      '/etc/x',
      '-1.5e3',
      '&nbsp;',
      '日本語',
      '💡',
      'İ',
      'ﬁ',
      'x'.repeat(300),
    );
    const anyText = (maxLength: number) =>
      fc
        .array(fc.oneof(awkward, word, fc.string({ unit: 'grapheme', maxLength: 6 })), {
          minLength: 1,
          maxLength: 30,
        })
        .map((parts) =>
          parts
            .join('')
            .replace(/\p{Cc}|\p{Cs}/gu, ' ')
            .slice(0, maxLength)
            .toWellFormed(),
        );
    await fc.assert(
      fc.asyncProperty(
        anyText(400),
        anyText(2000),
        anyText(50),
        anyText(200),
        async (title, description, tag, q) => {
          const user = uuidv7();
          const made = { title: `x${title}`, description, tags: [`t${tag}`.slice(0, 50)] };
          await tasks.addTasks(user, [made]);
          expect((await tasks.listParsed(user, { ...anyList, tag: made.tags })).data).toHaveLength(1);
          await tasks.listParsed(user, { ...anyList, q });
        },
      ),
      { numRuns: 200 },
    );
  }, 60_000);

  it('stores a description without a single space', async () => {
    for (const description of ['x'.repeat(16_384), '語'.repeat(16_384), 'ⱥ'.repeat(1400), "a'b".repeat(5000)])
      await tasks.addTasks(userId, [{ title: 'long', description }]);
    await tasks.addTasks(userId, [
      { title: '💡'.repeat(500) },
      { title: 'Ⱥ'.repeat(500) },
      { title: 'İ'.repeat(500) },
    ]);
    expect(await titlesFor({ q: 'long' })).toHaveLength(4);
  });
});
