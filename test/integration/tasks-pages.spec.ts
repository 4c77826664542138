import fc from 'fast-check';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { priorities, statuses } from '../../libs/tasks/task.entity.js';
import type { Task } from '../../libs/tasks/task.js';
import { openTasksFixture, type QueryInput, type TasksFixture } from './tasks-fixture.js';

let tasks: TasksFixture;

beforeAll(async () => {
  tasks = await openTasksFixture();
});
afterAll(() => tasks.close());

/** Few values each, so that ties are frequent. */
const time = fc.integer({ min: 0, max: 4 }).map((n) => new Date(Date.UTC(2026, 0, 1, 0, 0, 0, n)));
const title = fc.constantFrom(
  'a',
  'B',
  'b',
  'ä',
  'Ä',
  'Z',
  '_',
  '{',
  '💡',
  '\uFFFD',
  'a b',
  'aB',
  'AA',
  "it's",
);
const task: fc.Arbitrary<Partial<Task>> = fc.record({
  title,
  priority: fc.constantFrom(...priorities),
  dueAt: fc.option(time, { nil: null }),
  createdAt: time,
  updatedAt: time,
});
const sortKeys = ['created_at', 'updated_at', 'due_at', 'priority', 'title'] as const;
type Key = (typeof sortKeys)[number];
const sort = fc
  .uniqueArray(fc.record({ key: fc.constantFrom(...sortKeys), isDescending: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
    selector: ({ key }) => key,
  })
  .map((terms) => terms.map((term) => ({ ...term, text: `${term.isDescending ? '-' : ''}${term.key}` })));
type Sort = typeof sort extends fc.Arbitrary<infer T> ? T : never;

describe('pages of a list', () => {
  it('contain each task once, in the order of the model, for all sorts, ties and page sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(task, { maxLength: 40 }),
        sort,
        fc.integer({ min: 1, max: 12 }),
        async (given, terms, limit) => {
          const userId = uuidv7();
          const made = given.length === 0 ? [] : await tasks.addTasks(userId, given);
          const expected = [...made].sort(modelOrder(terms)).map(({ id }) => id);
          expect(await walk(userId, sortQuery(terms, limit))).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('contain each task of the start once, while others are inserted between pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(task, { minLength: 5, maxLength: 25 }),
        sort,
        fc.integer({ min: 1, max: 6 }),
        fc.array(task, { minLength: 1, maxLength: 4 }),
        async (given, terms, limit, more) => {
          const userId = uuidv7();
          const made = await tasks.addTasks(userId, given);
          const expected = [...made].sort(modelOrder(terms)).map(({ id }) => id);
          const seen = await walk(userId, sortQuery(terms, limit), async (page) => {
            if (page < 10) await tasks.addTasks(userId, more);
          });
          expect(new Set(seen).size).toBe(seen.length);
          const old = new Set(expected);
          expect(seen.filter((id) => old.has(id))).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  it('are ordered by relevance too, also while matches are inserted', async () => {
    const userId = uuidv7();
    const titles = ['plan', 'plan plan', 'plan plan plan', 'the plan', 'nothing'];
    await tasks.addTasks(
      userId,
      Array.from({ length: 40 }, (_, n) => ({
        title: titles[n % 5] ?? '',
        createdAt: new Date(Date.UTC(2026, 0, 1 + n)),
      })),
    );
    const whole = await tasks.list(userId, { q: 'plan', sort: 'relevance', limit: '100' });
    expect(whole.data).toHaveLength(32);
    expect(whole.data[0]?.title).toBe('plan plan plan');
    const seen = await walk(userId, { q: 'plan', sort: 'relevance', limit: '5' }, () =>
      tasks.addTasks(userId, [{ title: 'plan plan plan plan' }, { title: 'plan' }]),
    );
    expect(seen).toEqual(whole.data.map(({ id }) => id));
  });

  it('break ties of relevance by other keys', async () => {
    const userId = uuidv7();
    const made = await tasks.addTasks(
      userId,
      Array.from({ length: 30 }, (_, n) => ({
        title: n % 2 === 0 ? 'plan' : 'plan plan',
        priority: priorities[n % 5] ?? 'none',
      })),
    );
    const expected = [...made].sort(
      (a, b) =>
        b.title.length - a.title.length ||
        priorities.indexOf(a.priority) - priorities.indexOf(b.priority) ||
        order(a.id, b.id),
    );
    const seen = await walk(userId, { q: 'plan', sort: '-relevance,priority', limit: '4' });
    expect(seen).toEqual(expected.map(({ id }) => id));
  });
});

describe('filters of a list', () => {
  it('agree with the model, alone and combined', async () => {
    const userId = uuidv7();
    const now = Date.now();
    const dueTimes = [null, new Date(now - 3_600_000), new Date(now - 60_000), new Date(now + 3_600_000)];
    const made = await tasks.addTasks(
      userId,
      Array.from({ length: 240 }, (_, n) => ({
        status: statuses[n % 4] ?? 'todo',
        completedAt: n % 4 === 2 ? new Date() : null,
        priority: priorities[n % 5] ?? 'none',
        dueAt: dueTimes[n % 3 === 0 ? 0 : n % 4] ?? null,
        tags: ['a', "it's a \\ tag", 'Ä'].filter((_tag, index) => (n >> index) % 2 === 1),
        deletedAt: n % 7 === 0 ? new Date() : null,
      })),
    );
    await fc.assert(
      fc.asyncProperty(filter(dueTimes), async ({ query, matches }) => {
        const expected = made.filter(matches).map(({ id }) => id);
        expect((await walk(userId, { ...query, limit: '50' })).sort()).toEqual(expected.sort());
      }),
      { numRuns: 120 },
    );
  }, 60_000);

  it('include the given time in "after", and exclude it from "before"', async () => {
    const userId = uuidv7();
    const moment = '2026-05-01T12:00:00.000Z';
    await tasks.addTasks(userId, [{ dueAt: new Date(moment) }]);
    expect((await tasks.list(userId, { due_after: moment })).data).toHaveLength(1);
    expect((await tasks.list(userId, { due_before: moment })).data).toHaveLength(0);
    expect((await tasks.list(userId, { due_before: '2026-05-01T14:00:00.001+02:00' })).data).toHaveLength(1);
  });
});

interface Filter {
  readonly query: QueryInput;
  readonly matches: (task: Task) => boolean;
}

function filter(dueTimes: readonly (Date | null)[]): fc.Arbitrary<Filter> {
  const bound = fc.constantFrom(...dueTimes.filter((value) => value !== null));
  const subset = <T>(values: readonly T[]) => fc.option(fc.subarray([...values], { minLength: 1 }));
  return fc
    .record({
      status: subset(statuses),
      priority: subset(priorities),
      tag: subset(['a', "it's a \\ tag", 'Ä']),
      after: fc.option(bound),
      before: fc.option(bound),
      overdue: fc.option(fc.boolean()),
      deleted: fc.boolean(),
      sort: fc.constantFrom('-created_at', 'due_at', '-due_at', 'priority,-due_at'),
    })
    .map((chosen) => ({ query: queryOf(chosen), matches: (task) => isMatch(task, chosen) }));
}

interface Chosen {
  readonly status: readonly string[] | null;
  readonly priority: readonly string[] | null;
  readonly tag: readonly string[] | null;
  readonly after: Date | null;
  readonly before: Date | null;
  readonly overdue: boolean | null;
  readonly deleted: boolean;
  /** The range of due dates, in the direction of the sort. */
  readonly sort: string;
}

const queryOf = (chosen: Chosen): QueryInput => ({
  status: chosen.status?.join(','),
  priority: chosen.priority?.join(','),
  tag: chosen.tag ?? undefined,
  due_after: chosen.after?.toISOString(),
  due_before: chosen.before?.toISOString(),
  overdue: chosen.overdue?.toString(),
  deleted: String(chosen.deleted),
  sort: chosen.sort,
});

function isMatch(task: Task, chosen: Chosen): boolean {
  const { status, priority, tag, after, before, overdue, deleted } = chosen;
  const isOpen = task.status === 'todo' || task.status === 'in_progress';
  const isOverdue = isOpen && task.dueAt !== null && task.dueAt < new Date();
  return (
    (task.deletedAt !== null) === deleted &&
    (status === null || status.includes(task.status)) &&
    (priority === null || priority.includes(task.priority)) &&
    (tag === null || tag.every((name) => task.tags.includes(name))) &&
    (after === null || (task.dueAt !== null && task.dueAt >= after)) &&
    (before === null || (task.dueAt !== null && task.dueAt < before)) &&
    (overdue === null || overdue === isOverdue)
  );
}

/** Follows the cursors to the end and returns the ids in order. */
async function walk(
  userId: string,
  query: QueryInput,
  between: (page: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 1; page < 500; page++) {
    const { data, next_cursor, has_more } = await tasks.list(userId, { ...query, cursor });
    seen.push(...data.map(({ id }) => id));
    expect(has_more).toBe(next_cursor !== null);
    if (next_cursor === null) return seen;
    cursor = next_cursor;
    await between(page);
  }
  throw new Error('The list has no end.');
}

const sortQuery = (terms: Sort, limit: number): QueryInput => ({
  sort: terms.map(({ text }) => text).join(','),
  limit: String(limit),
});

/** The promised order: by the keys, null last in both directions, then by id in the direction of the last key. */
function modelOrder(terms: Sort): (a: Task, b: Task) => number {
  const last = terms.at(-1)?.isDescending ? -1 : 1;
  return (a, b) => {
    for (const { key, isDescending } of terms) {
      const [x, y] = [valueOf(a, key), valueOf(b, key)];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      return order(x, y) * (isDescending ? -1 : 1);
    }
    return order(a.id, b.id) * last;
  };
}

function valueOf(task: Task, key: Key): number | string | null {
  switch (key) {
    case 'created_at':
      return task.createdAt.getTime();
    case 'updated_at':
      return task.updatedAt.getTime();
    case 'due_at':
      return task.dueAt?.getTime() ?? null;
    case 'priority':
      return priorities.indexOf(task.priority);
    case 'title':
      return task.title.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  }
}

/** Compares text by code points, as UTF-8 does; JavaScript compares UTF-16 units. */
function order(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
