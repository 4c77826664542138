import type { DataSource } from 'typeorm';
import type { z } from 'zod';
import type { Serialized } from '../../libs/platform/cache/serialized.js';
import type { DataPath } from '../../libs/platform/data-path.js';
import type { Database } from '../../libs/platform/database/database.js';
import { persistenceOf } from '../../libs/platform/features/persistence-of.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { decodeCursor } from '../../libs/tasks/list/task-cursor.js';
import { listStatement } from '../../libs/tasks/list/task-list.query.js';
import { TaskListService, taskLists } from '../../libs/tasks/list/task-list.service.js';
import { taskQuerySchema, type TaskQuery } from '../../libs/tasks/list/task-query.schema.js';
import { searchVector } from '../../libs/tasks/search/search-vector.js';
import { wordsVersion } from '../../libs/tasks/search/words.js';
import { created, newTask, type Task } from '../../libs/tasks/task.js';
import { TaskEntity } from '../../libs/tasks/task.entity.js';
import { tasksFeature } from '../../libs/tasks/tasks.feature.js';
import { tasks } from '../../libs/tasks/tasks.port.js';
import { createTaskSchema, taskPageSchema, type TaskPage } from '../../libs/tasks/tasks.schemas.js';
import { openTestDataPath } from '../support/test-data-path.js';
import { explain, type Planning, type QueryPlan, type Statement } from './query-plan.js';

export type QueryInput = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The tables of the tasks feature in a separate database, and lists of them without the HTTP layer. */
export interface TasksFixture {
  readonly url: string;
  readonly dataSource: DataSource;
  readonly path: DataPath;
  readonly database: Database;
  /** Inserts tasks of a user; missing fields have the defaults of a new task. */
  addTasks(userId: string, tasks: readonly Partial<Task>[]): Promise<readonly Task[]>;
  /** A page for the query parameters of a request. */
  list(userId: string, query?: QueryInput): Promise<TaskPage>;
  /** The same for a query without validation. */
  listParsed(userId: string, query: TaskQuery): Promise<TaskPage>;
  /** The plan of the page's statement; by default as Postgres decides. */
  explain(userId: string, query?: QueryInput, planning?: Planning): Promise<QueryPlan>;
  close(): Promise<void>;
}

export async function openTasksFixture(
  environment: Readonly<Record<string, string>> = {},
): Promise<TasksFixture> {
  logger.level = 'silent';
  const { url, path, dataSource, close } = await openTestDataPath(
    'tasks',
    persistenceOf([tasksFeature]),
    environment,
  );
  const database = path.databases.forFeature(tasks);
  const lists = new TaskListService(database, taskLists.open(path.caches));
  return {
    url,
    dataSource,
    path,
    database,
    addTasks: async (userId, given) => {
      const made = given.map((task) => ({ ...blank(userId), ...task }));
      await dataSource.manager.insert(
        TaskEntity,
        made.map((task) => ({
          ...task,
          search: searchVector(userId, task),
          searchVersion: wordsVersion,
          searchTurn: false,
        })),
      );
      return made;
    },
    list: async (userId, query = {}) => pageOf(await lists.read(userId, taskQuerySchema.parse(query))),
    listParsed: async (userId, query) => pageOf(await lists.read(userId, query)),
    explain: (userId, query = {}, planning) => explain(dataSource, pageStatement(userId, query), planning),
    close,
  };
}

/** Strict: a page of another shape than the documented one fails. */
const pageOf = ({ json }: Serialized<TaskPage>): TaskPage =>
  taskPageSchema.encode(JSON.parse(json) as z.output<typeof taskPageSchema>);

const blank = (userId: string): Task =>
  created(newTask(userId, createTaskSchema.parse({ title: 'Task' })), new Date());

/** The service's statement for a page. */
function pageStatement(userId: string, { cursor, ...query }: QueryInput): Statement {
  const parsed = taskQuerySchema.parse(query);
  return listStatement(userId, parsed, cursor === undefined ? null : decodeCursor(parsed, String(cursor)));
}
