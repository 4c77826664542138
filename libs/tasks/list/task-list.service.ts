import { Inject, Injectable } from '@nestjs/common';
import type { Cache } from '../../platform/cache/cache.js';
import { answerCache } from '../../platform/cache/define-cache.js';
import { Serialized } from '../../platform/cache/serialized.js';
import { Database } from '../../platform/database/database.js';
import { tasks } from '../tasks.port.js';
import { taskPageSchema, type TaskPage } from '../tasks.schemas.js';
import type { TextRow } from '../../platform/postgres/statement.js';
import { decodeCursor, encodeCursor, type PageEnd } from './task-cursor.js';
import { firstTasksStatement, listStatement, preparedFor } from './task-list.query.js';
import type { ListedTask } from './task-sort.js';
import { queryKey, type TaskQuery } from './task-query.schema.js';

/** Pages, by their query. */
export const taskLists = answerCache(
  { name: 'task-lists', ttlMs: 5 * 60_000, dependsOn: [tasks] },
  taskPageSchema,
);

/** A user's tasks in pages. Both methods throw MalformedRequest where the cursor is not one of this query. */
@Injectable()
export class TaskListService {
  constructor(
    private readonly database: Database,
    @Inject(taskLists.token) private readonly cache: Cache<Serialized<TaskPage>>,
  ) {}

  /**
   * The page as JSON, from the cache where it can be; its attribute `next_cursor` is there where there are more tasks.
   * Lists by `overdue` are not cached: they change without a write.
   */
  async page(userId: string, query: TaskQuery): Promise<Serialized<TaskPage>> {
    if (query.overdue !== undefined) return this.read(userId, query);
    const fill = async () => ({ value: await this.read(userId, query) });
    return this.cache.through(queryKey(query), fill, { isRare: isRare(query) });
  }

  /**
   * A page of the user's tasks as JSON, from the database. All pages together show each task once that was there throughout
   * and did not move. Consistency: as `Database.read`.
   */
  async read(userId: string, query: TaskQuery): Promise<Serialized<TaskPage>> {
    const after = query.cursor === undefined ? null : decodeCursor(query, query.cursor);
    const rows = await this.rows(userId, query, after);
    const shown = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? shown.at(-1) : undefined;
    const cursor = last === undefined ? null : encodeCursor(query, listed(last));
    const tasks = shown.map(([json]) => json).join();
    // A cursor is base64url: it needs no escapes.
    const end = cursor === null ? 'null,"has_more":false' : `"${cursor}","has_more":true`;
    const attributes = cursor === null ? {} : { next_cursor: cursor };
    return Serialized.ofJson<TaskPage>(`{"data":[${tasks}],"next_cursor":${end}}`, attributes);
  }

  private async rows(userId: string, query: TaskQuery, after: PageEnd | null): Promise<readonly TextRow[]> {
    const first = firstTasksStatement(userId, query, after);
    if (first !== null) {
      const rows = await this.database.rows(preparedFor(query, first), first.values);
      if (rows.length > query.limit) return rows;
    }
    const statement = listStatement(userId, query, after);
    return this.database.rows(preparedFor(query, statement), statement.values);
  }
}

/** With values that clients make up, or of a later page. */
const isRare = ({ cursor, q, due_after, due_before }: TaskQuery): boolean =>
  (cursor ?? q ?? due_after ?? due_before) !== undefined;

function listed([json, rank, newest]: TextRow): ListedTask {
  const task = JSON.parse(json ?? '') as ListedTask;
  return typeof rank === 'string' && typeof newest === 'string'
    ? { ...task, rank: Number(rank), newest }
    : task;
}
