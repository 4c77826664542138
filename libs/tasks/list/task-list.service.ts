import { Inject, Injectable } from '@nestjs/common';
import type { Cache } from '../../platform/cache/cache.js';
import { answerCache } from '../../platform/cache/define-cache.js';
import { Serialized } from '../../platform/cache/serialized.js';
import { Database } from '../../platform/database/database.js';
import { tasks } from '../tasks.port.js';
import { taskPageSchema, type TaskPage } from '../tasks.schemas.js';
import { decodeCursor, encodeCursor, type ListedTask } from './task-cursor.js';
import { listStatement } from './task-list.query.js';
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
    const make = async () => serialize(await this.list(userId, query));
    if (query.overdue !== undefined) return make();
    return this.cache.through(queryKey(query), async () => ({ value: await make() }));
  }

  /**
   * A page of the user's tasks. All pages together show each task once that was there throughout and did not move.
   * Consistency: as `Database.read`.
   */
  async list(userId: string, query: TaskQuery): Promise<TaskPage> {
    const after = query.cursor === undefined ? null : decodeCursor(query, query.cursor);
    const { text, values } = listStatement(userId, query, after);
    const rows = await this.database.read((manager) => manager.query<ListedTask[]>(text, [...values]));
    const shown = rows.slice(0, query.limit);
    const last = rows.length > query.limit ? shown.at(-1) : undefined;
    const cursor = last === undefined ? null : encodeCursor(query, last);
    return {
      data: shown.map(({ rank: _rank, newest: _newest, ...task }) => task),
      next_cursor: cursor,
      has_more: cursor !== null,
    };
  }
}

function serialize(page: TaskPage): Serialized<TaskPage> {
  const { next_cursor } = page;
  return Serialized.of(taskPageSchema, page, next_cursor === null ? {} : { next_cursor });
}
