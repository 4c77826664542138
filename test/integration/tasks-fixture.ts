import type { DataSource } from 'typeorm';
import type { DataPath } from '../../libs/platform/data-path.js';
import type { Database } from '../../libs/platform/database/database.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { decodeCursor } from '../../libs/tasks/list/task-cursor.js';
import { listStatement } from '../../libs/tasks/list/task-list.query.js';
import { TaskListService } from '../../libs/tasks/list/task-list.service.js';
import { taskQuerySchema, type TaskQuery } from '../../libs/tasks/list/task-query.schema.js';
import { newTask, type Task } from '../../libs/tasks/task.js';
import { TaskEntity } from '../../libs/tasks/task.entity.js';
import { createTaskSchema, type TaskPage } from '../../libs/tasks/tasks.schemas.js';
import { tasksPersistence } from '../../libs/tasks/tasks.persistence.js';
import { openTestDoor } from '../support/door.js';

export type QueryInput = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The tasks feature's tables in a database of their own, and lists on it without the HTTP layer. */
export interface TasksFixture {
  readonly dataSource: DataSource;
  readonly path: DataPath;
  readonly database: Database;
  /** Inserts tasks of a user; what is not said is as in a new task. */
  addTasks(userId: string, tasks: readonly Partial<Task>[]): Promise<readonly Task[]>;
  /** A page for the query parameters of a request. */
  list(userId: string, query?: QueryInput): Promise<TaskPage>;
  /** The same for a query that no validation has seen. */
  listParsed(userId: string, query: TaskQuery): Promise<TaskPage>;
  /** The plan that the page's statement ran by. */
  explain(userId: string, query?: QueryInput): Promise<Plan>;
  close(): Promise<void>;
}

export interface Plan {
  readonly text: string;
  /** Pages of 8 KiB that were looked at. */
  readonly buffers: number;
}

export async function openTasksFixture(): Promise<TasksFixture> {
  logger.level = 'silent';
  const { path, dataSource, close } = await openTestDoor('tasks', [tasksPersistence]);
  const database = path.door.of('tasks');
  const lists = new TaskListService(database, path.caches);
  return {
    dataSource,
    path,
    database,
    addTasks: async (userId, tasks) => {
      const made = tasks.map((task) => ({ ...blank(userId), ...task }));
      await dataSource.manager.insert(TaskEntity, made);
      return made;
    },
    list: (userId, query = {}) => lists.list(userId, taskQuerySchema.parse(query)),
    listParsed: (userId, query) => lists.list(userId, query),
    explain: (userId, query = {}) => explain(dataSource, userId, query),
    close,
  };
}

const blank = (userId: string): Task =>
  newTask(userId, createTaskSchema.parse({ title: 'Task' }), new Date());

async function explain(dataSource: DataSource, userId: string, query: QueryInput): Promise<Plan> {
  const { cursor, ...rest } = query;
  const parsed = taskQuerySchema.parse(rest);
  const after = cursor === undefined ? null : decode(query);
  const { text, values } = listStatement(userId, parsed, after);
  const rows = await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN (ANALYZE, BUFFERS) ${text}`, [
    ...values,
  ]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  const [, hit, , read] =
    /Buffers: shared(?: hit=(\d+))?( read=(\d+))?/.exec(plan.split('Planning')[0] ?? '') ?? [];
  return { text: plan, buffers: Number(hit ?? 0) + Number(read ?? 0) };
}

function decode(query: QueryInput): ReturnType<typeof decodeCursor> {
  return decodeCursor(taskQuerySchema.parse(query), String(query['cursor']));
}
