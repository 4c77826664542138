import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { exportStatement } from '../../libs/tasks/tasks.export.js';
import { openMillionTasks, type MillionTasks } from './million-tasks.js';
import { expectReads, expectWalk, explain, fewBuffers, rowsOfAPage } from './query-plan.js';
import type { QueryInput } from './tasks-fixture.js';

let tasks: MillionTasks;

beforeAll(async () => {
  tasks = await openMillionTasks();
}, 300_000);
afterAll(() => tasks.close());

const keys = ['created_at', 'updated_at', 'due_at', 'priority', 'title'];
const sorts = keys.flatMap((key) => [key, `-${key}`]);

describe('a page of a user with very many tasks', () => {
  it.each([undefined, ...sorts])('is read in index order, however deep it is: %s', async (sort) => {
    const query = { sort };
    expectWalk(await tasks.explain(tasks.big, query));
    for (const row of [50_000, 100_000]) {
      const cursor = await tasks.cursorAfter(tasks.big, query, row);
      expectWalk(await tasks.explain(tasks.big, { ...query, cursor }));
    }
  });

  it.each(['due_at', '-due_at'])(
    'is read in index order among tasks without a due date: %s',
    async (sort) => {
      const cursor = await tasks.cursorAfter(tasks.big, { sort }, 100_000);
      const { data } = await tasks.list(tasks.big, { sort, cursor });
      expect(data.map((task) => task.due_at)).toEqual(data.map(() => null));
      expectWalk(await tasks.explain(tasks.big, { sort, cursor }), /^idx_tasks_due_at_/);
    },
  );

  it('is read in index order for one status', async () => {
    const query = { status: 'cancelled' };
    expectWalk(await tasks.explain(tasks.big, query), /^idx_tasks_user_status$/);
    const cursor = await tasks.cursorAfter(tasks.big, query, 5_000);
    expectWalk(await tasks.explain(tasks.big, { ...query, cursor }), /^idx_tasks_user_status$/);
  });

  it.each([
    { sort: 'due_at', due_after: '2026-10-01T00:00:00Z' },
    { sort: '-due_at', due_before: '2026-10-01T00:00:00Z' },
    { sort: 'due_at', due_after: '2999-01-01T00:00:00Z' },
    { sort: '-due_at', due_before: '1999-01-01T00:00:00Z' },
    { sort: 'due_at', due_before: '1999-01-01T00:00:00Z' },
    { sort: '-due_at', due_after: '2999-01-01T00:00:00Z' },
  ])('reads only the range of due dates: %j', async (query) => {
    expectWalk(await tasks.explain(tasks.big, query), /^idx_tasks_due_at_/);
  });

  it.each([undefined, 'title', '-priority,due_at', 'priority,-due_at', 'title,-created_at'])(
    'reads nothing if no task is due in the range, whatever the sort: %s',
    async (sort) => {
      for (const range of [{ due_before: '1999-01-01T00:00:00Z' }, { due_after: '2999-01-01T00:00:00Z' }]) {
        expectReads(await tasks.explain(tasks.big, { ...range, sort }), { rows: 0, buffers: 12 });
      }
    },
  );

  it('reads only the trash for the trash', async () => {
    const query = { deleted: 'true' };
    expectWalk(await tasks.explain(tasks.big, query), /^idx_tasks_trash$/);
    const cursor = await tasks.cursorAfter(tasks.big, query, 1_000);
    expectWalk(await tasks.explain(tasks.big, { ...query, cursor }), /^idx_tasks_trash$/);
  });
});

describe('a page of one user among thousands', () => {
  it.each([undefined, ...sorts])('is read in index order: %s', async (sort) => {
    expectWalk(await tasks.explain(tasks.small, { sort }));
    const cursor = await tasks.cursorAfter(tasks.small, { sort }, 70);
    expectWalk(await tasks.explain(tasks.small, { sort, cursor }));
  });

  it('finds what is overdue among the open tasks', async () => {
    const plan = await tasks.explain(tasks.small, { overdue: 'true' });
    const open = await tasks.count(tasks.small, "deleted_at IS NULL AND status IN ('todo', 'in_progress')");
    expect(plan.indexes.join()).toMatch(/^idx_tasks_(user_)?status$/);
    // One range of the index for each priority of the two statuses.
    expectReads(plan, { rows: open, buffers: fewBuffers + 40 });
  });
});

describe('a list by several keys', () => {
  const severalKeys = [
    '-priority,due_at',
    'priority,-due_at',
    'title,-created_at',
    'due_at,title,-updated_at',
  ];
  const filters = [
    { status: 'cancelled' },
    { priority: 'urgent' },
    { due_after: '2026-10-01T00:00:00Z' },
    { due_before: '1999-01-01T00:00:00Z' },
  ];

  it.each(severalKeys)('reads only the rows of its user, each at most once: %s', async (sort) => {
    for (const [user, row] of [
      [tasks.big, 100_000],
      [tasks.small, 70],
    ] as const) {
      const live = await tasks.count(user, 'deleted_at IS NULL');
      const cursor = await tasks.cursorAfter(user, { sort }, row);
      for (const query of [{ sort }, { sort, cursor }, ...filters.map((filter) => ({ ...filter, sort }))]) {
        // One for each row, and those of the index.
        expectReads(await tasks.explain(user, query), { rows: live, buffers: live + live / 50 + 40 });
      }
    }
  });
});

describe('statistics', () => {
  it('read only the rows of their user, in an index', async () => {
    for (const user of [tasks.big, tasks.small]) {
      const live = await tasks.count(user, 'deleted_at IS NULL');
      const plan = await tasks.explainStats(user);
      // Up to three processes share the work; Postgres reports rounded averages of them.
      expectReads(plan, { rows: live + 3, buffers: 60 + live / 30 });
      expect(
        plan.nodes.filter((node) => /Scan/.test(node) && !/^(Index Only|Function|CTE|Subquery)/.test(node)),
      ).toEqual([]);
      expect(plan.heapFetches).toBe(0);
    }
  });
});

describe('a search', () => {
  const withWord = (word: string): string => `title || ' ' || description ~* '\\m${word}\\M'`;
  /** Each row once to find it, and the rows of the page again by primary key. */
  const limitsFor = (rows: number) => ({ rows, buffers: rows + 30 + 5 * Math.min(rows, rowsOfAPage) });

  it.each([{ sort: '-created_at' }, { sort: 'relevance' }, { sort: '-priority,due_at' }])(
    'reads only the rows of its user that contain the word: %j',
    async (query) => {
      for (const user of [tasks.big, tasks.small]) {
        const matching = await tasks.count(user, withWord('budget'));
        expect(matching).toBeGreaterThan(10);
        expectReads(await tasks.explain(user, { ...query, q: 'budget' }), limitsFor(matching));
      }
    },
  );

  it('reads only the rows of its user that have the tag', async () => {
    for (const user of [tasks.big, tasks.small]) {
      const matching = await tasks.count(user, "'travel' = ANY (tags)");
      expectReads(await tasks.explain(user, { tag: 'travel' }), limitsFor(matching));
    }
  });

  it('reads only the tasks of its user for a word of 200,000 tasks', async () => {
    const matching = await tasks.count(tasks.small, withWord('zebra'));
    expect(matching).toBe(25);
    expectReads(await tasks.explain(tasks.small, { q: 'zebra' }), limitsFor(matching));
  });

  const ofZebras: QueryInput[] = [
    { q: 'zebra' },
    { q: 'zebra', sort: 'relevance' },
    { q: 'zebra', sort: '-priority,due_at' },
    { q: 'the zebra' },
    { q: 'zebra', tag: 'work' },
  ];
  it.each([...ofZebras, { tag: 'rare' }])(
    'finds the few matches of a user with very many tasks: %j',
    async (query) => {
      const { data } = await tasks.list(tasks.big, query);
      expect(data.length).toBeGreaterThan(0);
      const plan = await tasks.explain(tasks.big, query);
      expect(plan.indexes).toContain('idx_tasks_search');
      expectReads(plan, { rows: 2, buffers: 40 });
    },
  );

  it.each([...ofZebras, { tag: 'travel' }])(
    'costs nothing for a user without matches, however many other users have: %j',
    async (query) => {
      for (const user of [tasks.newcomer, uuidv7()]) {
        expectReads(await tasks.explain(user, query), { rows: 0, buffers: 12 });
      }
    },
  );

  it('reads nothing if it contains no word to search for', async () => {
    for (const q of ['-zebra', '!!!', '-zebra or -report']) {
      expectReads(await tasks.explain(tasks.big, { q }), { rows: 0, buffers: 0 });
    }
  });
});

describe('an export', () => {
  it('reads its batches in index order, however many there are', async () => {
    const middle = await tasks.dataSource.query<{ id: string }[]>(
      'SELECT id FROM tasks.tasks WHERE user_id = $1 ORDER BY id OFFSET 60000 LIMIT 1',
      [tasks.big],
    );
    const plan = await explain(tasks.dataSource, {
      text: exportStatement,
      values: [tasks.big, middle[0]?.id, 500],
    });
    expect(plan.indexes.join()).toMatch(/^(idx_tasks_user_id|pk_tasks)$/);
    expect(plan.nodes).toEqual(['Limit', 'Index Scan']);
    expect(plan.buffers).toBeLessThan(600);
  });
});
