import { uuidv7 } from '../../libs/platform/database/uuid.js';
import { statsStatement } from '../../libs/tasks/stats/task-stats.query.js';
import { exportStatement } from '../../libs/tasks/tasks.export.js';
import { seedTasks } from '../../libs/tasks/task.seeder.js';
import { openTasksFixture, type QueryInput, type TasksFixture } from './tasks-fixture.js';

/** Of 60,000 tasks, half belong to 600 users and half to one. */
let tasks: TasksFixture;
const big = uuidv7();
const small = Array.from({ length: 600 }, () => uuidv7());
/** A page reads 26 rows, which may lie on as many pages of the table, and walks down one index. */
const fewBuffers = 60;

beforeAll(async () => {
  tasks = await openTasksFixture();
  await seedTasks(tasks.database, small, 30_000);
  await seedTasks(tasks.database, [big], 30_000);
  await tasks.addTasks(big, [
    { title: 'The zebra', tags: ['rare'] },
    { title: 'Feed it', description: 'the zebra, that is', tags: ['rare', 'work'] },
  ]);
  await tasks.dataSource.query('VACUUM ANALYZE tasks.tasks');
}, 60_000);
afterAll(() => tasks.close());

/** The cursor of a page far into the list, by way of a value that the sort key has there. */
async function deepCursor(query: QueryInput): Promise<string> {
  let cursor: string | undefined;
  for (let page = 0; page < 40; page++) {
    const { next_cursor } = await tasks.list(big, { ...query, limit: '100', cursor });
    if (next_cursor === null) throw new Error('The list is not long enough.');
    cursor = next_cursor;
  }
  return cursor ?? '';
}

describe('a page of a user with very many tasks', () => {
  const keys = ['created_at', 'updated_at', 'due_at', 'priority', 'title'];
  it.each(keys.flatMap((key) => [key, `-${key}`]))(
    'comes in the order of an index, however deep it is, sorted by %s',
    async (sort) => {
      for (const cursor of [undefined, await deepCursor({ sort })]) {
        const { text, buffers } = await tasks.explain(big, { sort, cursor });
        expect(text).not.toMatch(/Sort|Seq Scan|Bitmap/);
        expect(text).toMatch(/Index Scan (Backward )?using idx_tasks_/);
        expect([text, buffers < fewBuffers]).toEqual([text, true]);
      }
    },
  );

  it('comes in the order of an index among the tasks without a due date too', async () => {
    const query = { sort: '-due_at' };
    const dated = Math.ceil(30_002 * 0.65);
    const { data } = await tasks.list(big, { ...query, limit: '1' });
    expect(data[0]?.due_at).not.toBeNull();
    let cursor: string | undefined;
    for (let seen = 0; seen < dated; seen += 100) {
      cursor = (await tasks.list(big, { ...query, limit: '100', cursor })).next_cursor ?? undefined;
    }
    expect((await tasks.list(big, { ...query, cursor })).data[0]?.due_at).toBeNull();
    const { text, buffers } = await tasks.explain(big, { ...query, cursor });
    expect(text).not.toMatch(/Sort|Seq Scan|Bitmap/);
    expect([text, buffers < fewBuffers]).toEqual([text, true]);
  });

  it('comes in the order of an index for one status', async () => {
    const query = { status: 'cancelled' };
    for (const cursor of [undefined, (await tasks.list(big, { ...query, limit: '100' })).next_cursor ?? '']) {
      const { text, buffers } = await tasks.explain(big, { ...query, cursor });
      expect(text).toMatch(/using idx_tasks_user_status/);
      expect(text).not.toMatch(/Sort|Filter/);
      expect([text, buffers < fewBuffers]).toEqual([text, true]);
    }
  });

  it('reads nothing but the trash for the trash', async () => {
    const { text, buffers } = await tasks.explain(big, { deleted: 'true' });
    expect([text, buffers < fewBuffers]).toEqual([text, true]);
  });
});

describe('an export', () => {
  it('reads its batches in the order of an index, however many there are', async () => {
    const rows = await tasks.dataSource.query<{ 'QUERY PLAN': string }[]>(
      `EXPLAIN (ANALYZE, BUFFERS) ${exportStatement}`,
      [big, '80000000-0000-0000-0000-000000000000', 500],
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Scan using (idx_tasks_user_id|pk_tasks)/);
    expect(plan).not.toMatch(/Sort|Seq Scan|Bitmap/);
  });
});

describe('a search', () => {
  it('reads the rows of the user that match and no others, though the word is in thousands of tasks', async () => {
    const [user = ''] = small;
    const { data } = await tasks.list(user, { q: 'report', limit: '100' });
    expect(data.length).toBeGreaterThan(0);
    const { text, buffers } = await tasks.explain(user, { q: 'report', limit: '100' });
    // Each once to find it and, with the way down the primary key, once for the page.
    expect([text, buffers <= 5 * data.length + 25]).toEqual([text, true]);
  });

  it.each([
    { q: 'zebra' },
    { q: 'zebra', sort: 'relevance' },
    { q: 'the zebra' },
    { tag: 'rare' },
    { q: 'zebra', tag: 'work' },
  ])('finds the few of many: %j', async (query) => {
    const { text, buffers } = await tasks.explain(big, query);
    expect(text).toMatch(/Bitmap Index Scan on idx_tasks_search/);
    expect([text, buffers < 40]).toEqual([text, true]);
  });

  it('reads nothing where there is no word to look for', async () => {
    for (const q of ['-zebra', '!!!', 'zebra or -report']) {
      const { text, buffers } = await tasks.explain(big, { q });
      expect(text).toMatch(/One-Time Filter: false/);
      expect(buffers).toBe(0);
    }
  });
});

describe('statistics', () => {
  it('of a user with very many tasks are counted without reading the table', async () => {
    const values = [big, '2026-01-01', '2026-01-31', 'Europe/Berlin', new Date()];
    const rows = await tasks.dataSource.query<{ 'QUERY PLAN': string }[]>(
      `EXPLAIN (ANALYZE, BUFFERS) ${statsStatement}`,
      values,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).not.toMatch(/Seq Scan on tasks|Bitmap Heap Scan/);
    expect(plan).toMatch(/Index Only Scan using idx_tasks_user_status/);
  });
});

describe('what is overdue', () => {
  it('is found among open tasks only', async () => {
    const [user = ''] = small;
    const { text, buffers } = await tasks.explain(user, { overdue: 'true' });
    expect(text).toMatch(/using idx_tasks_(user_)?status/);
    expect([text, buffers < fewBuffers]).toEqual([text, true]);
  });
});
