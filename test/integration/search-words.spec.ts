import { jest } from '@jest/globals';
import fc from 'fast-check';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { wordsOf } from '../../libs/tasks/search/words.js';
import { sharedDatabase } from '../support/test-database.js';
import { foundTexts } from './search-words-fixture.js';
import { openTasksFixture, type TasksFixture } from './tasks-fixture.js';

jest.setTimeout(120_000);

/** What Postgres itself takes for a letter differs between these. */
const locales = ['C', 'C.UTF-8'];

describe.each(locales)('a search in a database with the locale %s', (locale) => {
  let tasks: TasksFixture;

  beforeAll(async () => {
    tasks = await openTasksFixture({ DATABASE_URL: await sharedDatabase('words', locale) });
  });
  afterAll(() => tasks.close());

  const finds = async (text: string, q: string): Promise<boolean> => {
    const user = uuidv7();
    const isTitle = text.length <= 500 && !text.includes('\n');
    await tasks.addTasks(user, [isTitle ? { title: text } : { title: '-', description: text }]);
    return (await tasks.list(user, { q })).data.length === 1;
  };

  it.each(foundTexts)('by %s', async (_, rows) => {
    const found = await Promise.all(rows.map(([text, q]) => finds(text, q)));
    expect(rows.map(([text, q], n) => [text, q, found[n]])).toEqual(rows.map((row) => [...row]));
  });

  it('finds a text by each of its words, and by the beginning of each', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const user = uuidv7();
        await tasks.addTasks(user, [{ title: '-', description: text }]);
        for (const word of wordsOf(text).slice(0, 20)) {
          const whole = word.parts.join('').slice(0, 190);
          const beginning = Array.from(whole).slice(0, 2).join('');
          for (const q of [whole, beginning])
            expect([q, (await tasks.list(user, { q })).data.length]).toEqual([q, 1]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('stores a text of any length of any characters', async () => {
    await fc.assert(
      fc.asyncProperty(anyUnit, fc.integer({ min: 1, max: 16_384 }), async (unit, length) => {
        const description = Array.from(unit.repeat(length)).slice(0, length).join('');
        await tasks.addTasks(uuidv7(), [
          { title: Array.from(description).slice(0, 500).join(''), description },
        ]);
      }),
      { numRuns: 150 },
    );
    for (const letter of ['ก', 'a', '字']) {
      for (const marks of ['\u0e34', '\u0f73', '\u0315\u0300\u0323', '\u0323']) {
        const description = (letter + marks.repeat(16_384)).slice(0, 16_384);
        await tasks.addTasks(uuidv7(), [{ title: description.slice(0, 500), description }]);
      }
    }
    for (let length = 674; length <= 684; length++) {
      const run = '字'.repeat(226);
      const description = `${run}\u3000${run}\u3000${run}aaaaaaaaaa`.slice(0, length);
      await tasks.addTasks(uuidv7(), [{ title: '-', description }]);
    }
  });
});

/** Of all of Unicode, and of the ranges where the rules for words differ. */
const anyUnit = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    fc.constantFrom(
      '\uFDFA',
      '㌀',
      'ก' + 'ิ'.repeat(39),
      'a' + '\u0f73'.repeat(39),
      '字',
      '𠀀',
      'a ',
      'x',
      'ิ',
      'é',
      'İ',
      '💡',
      'ﬃ',
      '½',
      'ａ',
    ),
  )
  // The API refuses it, and Postgres can't store it.
  .filter((unit) => !unit.includes('\0'));
const anyText = fc
  .array(fc.oneof(anyUnit, fc.constantFrom(' ', '\n', ', ', '—', '\u00a0', '/', "'", '\u3000')), {
    minLength: 1,
    maxLength: 40,
  })
  .map((units) => units.join('').replace(/[\p{Cc}\p{Cs}]/gu, ' '));
