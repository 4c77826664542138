import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { encodeCursor } from '../../libs/tasks/list/task-cursor.js';
import type { ListedTask } from '../../libs/tasks/list/task-sort.js';
import { listStatement } from '../../libs/tasks/list/task-list.query.js';
import { taskQuerySchema } from '../../libs/tasks/list/task-query.schema.js';
import { daysOf } from '../../libs/tasks/stats/stats-range.js';
import { statsStatement } from '../../libs/tasks/stats/task-stats.query.js';
import { zoneOffsets } from '../../libs/tasks/stats/zone-offsets.js';
import { fillTasks } from '../support/fill-tasks.js';
import { explain, type QueryPlan } from './query-plan.js';
import { openTasksFixture, type QueryInput, type TasksFixture } from './tasks-fixture.js';

/**
 * 1,000,000 tasks of 8,000 small users with about 110 each and of one big user with 120,000, all interleaved. 200,000
 * tasks of the small users begin with the word "Zebra"; two tasks of the big user contain it.
 */
export interface MillionTasks extends TasksFixture {
  readonly big: string;
  readonly small: string;
  /** A user with three tasks, none of which contains "Zebra". */
  readonly newcomer: string;
  /** The cursor of the page that follows the first `row` rows of the list. */
  cursorAfter(userId: string, query: QueryInput, row: number): Promise<string>;
  explainStats(userId: string): Promise<QueryPlan>;
  /** The tasks of the user that satisfy the condition. */
  count(userId: string, condition: string): Promise<number>;
}

export async function openMillionTasks(): Promise<MillionTasks> {
  const tasks = await openTasksFixture();
  const [big, newcomer] = [uuidv7(), uuidv7()];
  await tasks.addTasks(big, [
    { title: 'The zebra', tags: ['rare'] },
    { title: 'Feed it', description: 'the zebra, that is', tags: ['rare', 'work'] },
  ]);
  await tasks.addTasks(newcomer, [{ title: 'Hello' }, { title: 'The horse' }, { title: 'Write' }]);
  const small = Array.from({ length: 8_000 }, () => uuidv7());
  const mixed = small.flatMap((user, n) => (n % 17 === 16 ? [user, big, big, big] : [user]));
  await fillTasks(tasks.url, [
    { owners: small, count: 200_000, word: 'Zebra' },
    { owners: mixed, count: 800_000 },
  ]);
  return {
    ...tasks,
    ...{ big, newcomer, small: small[4_000] ?? '' },
    cursorAfter: (userId, query, row) => cursorAfter(tasks, userId, query, row),
    explainStats: (userId) => explainStats(tasks, userId),
    count: (userId, condition) => count(tasks, userId, condition),
  };
}

/** The cursor that the service would return, without reading all pages before it. */
async function cursorAfter(
  { dataSource }: TasksFixture,
  userId: string,
  query: QueryInput,
  row: number,
): Promise<string> {
  const parsed = taskQuerySchema.parse(query);
  const { text, values } = listStatement(userId, { ...parsed, limit: row }, null);
  const [last] = await dataSource.query<{ json: string }[]>(
    `SELECT * FROM (${text}) AS list OFFSET ${row - 1} LIMIT 1`,
    [...values],
  );
  if (last === undefined) throw new Error('The list is not long enough.');
  return encodeCursor(parsed, JSON.parse(last.json) as ListedTask);
}

/** With the parameters that the service uses for the last 30 days. */
function explainStats({ dataSource }: TasksFixture, userId: string): Promise<QueryPlan> {
  const now = new Date();
  const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
  const [from, to] = [day(now.getTime() - 29 * 86_400_000), day(now.getTime())];
  const zone = zoneOffsets('Europe/Berlin', from, to, now);
  const values = [userId, from, to, zone.from, now, daysOf(from, to), zone.offsets];
  return explain(dataSource, { text: statsStatement.text, values });
}

async function count({ dataSource }: TasksFixture, userId: string, condition: string): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM tasks.tasks WHERE user_id = $1 AND ${condition}`,
    [userId],
  );
  return row?.count ?? 0;
}
