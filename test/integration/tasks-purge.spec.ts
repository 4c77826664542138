import { EventRoutes } from '../../libs/platform/events/event-routes.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { idempotencySweep } from '../../libs/platform/sweeper/sweep-task.js';
import { Sweeper } from '../../libs/platform/sweeper/sweeper.js';
import { priorities, statuses } from '../../libs/tasks/task.entity.js';
import { seedTasks } from '../../libs/tasks/task.seeder.js';
import { TasksConsumers } from '../../libs/tasks/tasks.consumers.js';
import { tasksFeature } from '../../libs/tasks/tasks.feature.js';
import { userDeleted } from '../../libs/users/users.events.js';
import { tellConsumers } from '../support/event-consumers.js';
import { openTasksFixture, type TasksFixture } from './tasks-fixture.js';

const dayMs = 86_400_000;
const sweeps = [...tasksFeature.sweeps, idempotencySweep(tasksFeature.name)];
let tasks: TasksFixture;
let userId: string;

beforeAll(async () => {
  tasks = await openTasksFixture();
});
beforeEach(async () => {
  userId = uuidv7();
  await tasks.dataSource.query('TRUNCATE tasks.tasks, tasks.idempotency_keys');
});
afterAll(() => tasks.close());

const count = async (table: 'tasks' | 'idempotency_keys', condition = 'true', values: unknown[] = []) => {
  const [row] = await tasks.dataSource.query<{ n: number }[]>(
    `SELECT count(*)::int AS n FROM tasks.${table} WHERE ${condition}`,
    values,
  );
  return row?.n;
};

const seed = (userIds: readonly string[], howMany: number) =>
  seedTasks({ database: tasks.database, userIds, count: howMany });

const addKeys = (user: string, keys: number, age: string) =>
  tasks.dataSource.query(
    `INSERT INTO tasks.idempotency_keys (user_id, key, fingerprint, status, headers, body, created_at)
     SELECT $1, $3 || n, '', 201, '{}', '{}', now() - $3::interval FROM generate_series(1, $2::int) AS n`,
    [user, keys, age],
  );

describe('the sweeper', () => {
  it('deletes trashed tasks after 30 days and keys after 24 hours, and nothing else', async () => {
    const ago = (days: number) => new Date(Date.now() - days * dayMs);
    await tasks.addTasks(userId, [
      { title: 'live', createdAt: ago(400) },
      { title: 'recent', deletedAt: ago(29.9) },
      { title: 'over', deletedAt: ago(30.1) },
    ]);
    await addKeys(userId, 1, '23 hours 50 minutes');
    await addKeys(userId, 1500, '24 hours 10 minutes');
    const { database } = tasks;
    const outbox = new Outbox('tasks', new EventRoutes([]));
    const access = { feature: tasksFeature.name, database, outbox };
    const sweeper = new Sweeper([{ ...access, tasks: sweeps }], new Metrics());
    expect(await sweeper.sweep()).toMatchObject({ 'tasks.trash': 1, 'tasks.idempotency_keys': 1500 });
    expect([await count('tasks'), await count('tasks', `title = 'over'`)]).toEqual([2, 0]);
    expect(await count('idempotency_keys')).toBe(1);
  });

  it('finds expired rows by an index', async () => {
    await seed([userId], 3000);
    // A full trash in which nothing has expired.
    await tasks.dataSource.query('UPDATE tasks.tasks SET deleted_at = now() WHERE user_id = $1', [userId]);
    await addKeys(userId, 3000, '1 hour');
    await tasks.dataSource.query('VACUUM ANALYZE tasks.tasks');
    await tasks.dataSource.query('ANALYZE tasks.idempotency_keys');
    const statements = sweeps.flatMap(({ statement, affected }) =>
      affected === undefined
        ? [{ statement, values: [1000] }]
        : [
            { statement: affected, values: [1000] },
            { statement, values: [1000, [userId]] },
          ],
    );
    for (const { statement, values } of statements) {
      const rows = await tasks.dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${statement}`, values);
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(
        /idx_(tasks_deleted_at|idempotency_keys_created_at)/,
      );
    }
  });
});

describe('the deletion of a user', () => {
  it('deletes all their tasks and keys, also when repeated, and none of other users', async () => {
    const other = uuidv7();
    await seed([userId], 2500);
    await tasks.addTasks(userId, [{ deletedAt: new Date() }]);
    await tasks.addTasks(other, [{}]);
    await addKeys(userId, 1001, '1 hour');
    await addKeys(other, 1, '1 hour');
    const consumers = new TasksConsumers(tasks.database, new Outbox('tasks', new EventRoutes([])));
    for (let delivery = 0; delivery < 2; delivery++)
      await tellConsumers([consumers], userDeleted.topic, { user_id: userId });
    expect([await count('tasks', 'user_id = $1', [userId]), await count('tasks')]).toEqual([0, 1]);
    expect([
      await count('idempotency_keys'),
      await count('idempotency_keys', 'user_id = $1', [other]),
    ]).toEqual([1, 1]);
  });
});

describe('seeded tasks', () => {
  it('have the requested number, spread over the users, with every status and priority, within a year', async () => {
    const users = [uuidv7(), uuidv7(), uuidv7()];
    await seed(users, 3001);
    const rows = await tasks.dataSource.query<Record<string, number>[]>(
      `SELECT count(*)::int AS tasks, count(DISTINCT user_id)::int AS users, count(DISTINCT status)::int AS statuses,
              count(DISTINCT priority)::int AS priorities, count(due_at)::int AS due,
              count(*) FILTER (WHERE cardinality(tags) > 0)::int AS tagged,
              count(*) FILTER (WHERE created_at < now() - interval '366 days' OR created_at > now()
                OR completed_at > now() OR completed_at < created_at)::int AS wrong
       FROM tasks.tasks`,
    );
    expect(rows[0]).toEqual({
      ...{ tasks: 3001, users: 3, statuses: statuses.length, priorities: priorities.length, wrong: 0 },
      ...{ due: expect.any(Number), tagged: expect.any(Number) },
    });
    expect(Math.min(rows[0]?.['due'] ?? 0, rows[0]?.['tagged'] ?? 0)).toBeGreaterThan(1000);
  });

  it('are not created without a user or a count', async () => {
    await seed([], 10);
    await seed([userId], 0);
    expect(await count('tasks')).toBe(0);
  });
});
