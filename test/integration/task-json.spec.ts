import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { priorities, statuses } from '../../libs/tasks/task.entity.js';
import { created, newTask, view, type Task } from '../../libs/tasks/task.js';
import { taskJson } from '../../libs/tasks/tasks.repository.js';
import { createTaskSchema, taskSchema } from '../../libs/tasks/tasks.schemas.js';
import { openTasksFixture, type TasksFixture } from './tasks-fixture.js';

let tasks: TasksFixture;
beforeAll(async () => (tasks = await openTasksFixture()));
afterAll(() => tasks.close());

/** All that a client may send, and the ends of what can be stored. */
const text = (minLength: number, maxLength: number) =>
  fc
    .string({ unit: 'grapheme', minLength, maxLength })
    .filter((value) => !/[\p{Cc}\u2028\u2029]/u.test(value));
const description = fc.string({ unit: 'binary', maxLength: 200 }).filter((value) => {
  return value.isWellFormed() && createTaskSchema.safeParse({ title: 'Task', description: value }).success;
});
const time = fc.date({
  min: new Date('0001-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});
const arbitraryTask = fc.record({
  title: text(1, 40).filter((value) => value.trim() === value && value !== ''),
  description,
  status: fc.constantFrom(...statuses),
  priority: fc.constantFrom(...priorities),
  dueAt: fc.option(time),
  tags: fc.uniqueArray(text(1, 12), { maxLength: 5 }),
  createdAt: time,
  updatedAt: time,
  version: fc.integer({ min: 1, max: 2_147_483_647 }),
});

it('is the same from Postgres as from the schema of the answer, byte for byte', async () => {
  const userId = randomUUID();
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryTask, { minLength: 10, maxLength: 20 }), async (given) => {
      const blank = created(newTask(userId, createTaskSchema.parse({ title: 'Task' })), new Date());
      const stored: Task[] = given.map((task) => ({
        ...blank,
        ...task,
        id: randomUUID(),
        completedAt: task.status === 'done' ? task.updatedAt : null,
      }));
      await tasks.addTasks(userId, stored);
      const rows = await tasks.dataSource.query<{ id: string; json: string }[]>(
        `SELECT id, ${taskJson} AS json FROM tasks.tasks WHERE id = ANY ($1)`,
        [stored.map(({ id }) => id)],
      );
      const found = new Map(rows.map(({ id, json }) => [id, json]));
      for (const task of stored)
        expect(found.get(task.id)).toBe(JSON.stringify(taskSchema.parse(view(task))));
    }),
    { numRuns: 20 },
  );
});
