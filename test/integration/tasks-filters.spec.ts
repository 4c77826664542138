import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import type { Task } from '../../libs/tasks/task.js';
import { addSelectiveTasks, matchesOfAFilter, selectiveFilters } from '../support/selective-tasks.js';
import { expectReads } from './query-plan.js';
import { openTasksFixture, type QueryInput, type TasksFixture } from './tasks-fixture.js';

let tasks: TasksFixture;

beforeAll(async () => {
  tasks = await openTasksFixture();
});
afterAll(() => tasks.close());

const keys = ['created_at', 'updated_at', 'due_at', 'priority', 'title'];
const sorts = [...keys.flatMap((key) => [key, `-${key}`]), '-priority,due_at', 'title,-created_at'];

describe('a filter that few of a user’s many tasks pass', () => {
  const big = uuidv7();
  const count = 20_000;

  beforeAll(async () => {
    for (let n = 0; n < 50; n++) await addSelectiveTasks(tasks.url, uuidv7(), 100);
    await addSelectiveTasks(tasks.url, big, count);
    await tasks.dataSource.query('VACUUM (ANALYZE) tasks.tasks');
  }, 60_000);

  describe.each(['force_custom_plan', 'force_generic_plan'] as const)('with %s', (planning) => {
    it.each(selectiveFilters)('reads little more than those tasks, whatever the sort: %j', async (filter) => {
      for (const sort of sorts) {
        const query = { ...filter, sort, limit: '20' };
        const first = await tasks.list(big, query);
        expect(first.data).toHaveLength(20);
        const cursor = first.next_cursor ?? '';
        const second = await tasks.list(big, { ...query, cursor });
        expect(second.data).toHaveLength(matchesOfAFilter - 20);
        // To find a range of an index takes three or four buffers, and there are up to 20. Tags come after eight pages.
        const limits = 'tag' in filter ? { rows: 170, buffers: 400 } : { rows: 60, buffers: 150 };
        for (const page of [query, { ...query, cursor }]) {
          expectReads(await tasks.explain(big, page, planning), limits);
        }
      }
    });
  });
});

describe('pages of a filtered list', () => {
  /** A page of three: the statement reads one more. It sorts up to 8 matches at once, then reads 32 tasks, then sorts up to 160. */
  const limit = '3';
  const filters: readonly QueryInput[] = [
    { status: 'done,cancelled' },
    { priority: 'urgent' },
    { due_before: '2026-06-01T00:00:00Z' },
    { due_after: '2026-05-01T00:00:00Z', due_before: '2026-06-01T00:00:00Z' },
    { status: 'cancelled', priority: 'urgent', due_before: '2026-06-01T00:00:00Z' },
    { status: 'cancelled', tag: 'home' },
    { due_before: '2026-06-01T00:00:00Z', overdue: 'false' },
  ];

  describe.each([0, 1, 8, 9, 31, 160, 161])('with %i matches', (matches) => {
    const userId = uuidv7();

    beforeAll(async () => {
      // First or last in the order of creation, and in between in that of the titles.
      const made = Array.from({ length: 260 }, (_, n) => taskOf(n, n < matches));
      await tasks.addTasks(userId, made);
    });

    it.each(['-created_at', 'updated_at', 'due_at', '-due_at', '-priority', 'title', '-priority,due_at'])(
      'show each match once, in order: %s',
      async (sort) => {
        for (const filter of filters) {
          const query = { ...filter, sort, limit };
          const { data } = await tasks.list(userId, { ...filter, sort, limit: '100' });
          const seen = await walk(userId, query);
          expect(seen).toHaveLength(matches);
          expect(new Set(seen).size).toBe(matches);
          expect(seen.slice(0, 100)).toEqual(data.map(({ id }) => id));
        }
      },
    );
  });

  async function walk(userId: string, query: QueryInput): Promise<string[]> {
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const { data, next_cursor } = await tasks.list(userId, { ...query, cursor });
      seen.push(...data.map(({ id }) => id));
      if (next_cursor === null) return seen;
      cursor = next_cursor;
    }
  }
});

function taskOf(n: number, isMatch: boolean): Partial<Task> {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, Math.floor(n / 2)));
  return {
    title: `Task ${(n * 7919) % 50}`,
    status: isMatch ? 'cancelled' : 'todo',
    priority: isMatch ? 'urgent' : 'low',
    dueAt: isMatch ? new Date(Date.UTC(2026, 4, 1 + (n % 20))) : n % 2 === 0 ? null : new Date('2027-01-01'),
    tags: isMatch ? ['home'] : [],
    createdAt,
    updatedAt: createdAt,
  };
}
