import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { answerOf } from '../../platform/cache/answer.js';
import type { Cache } from '../../platform/cache/cache.js';
import { Caches } from '../../platform/cache/caches.js';
import type { CachedAnswer } from '../../platform/cache/memory-layer.js';
import { taskPageSchema, type TaskPage } from '../tasks.schemas.js';
import { nextLink } from './next-link.js';
import { decodeCursor, encodeCursor, type ListedTask } from './task-cursor.js';
import { listStatement } from './task-list.query.js';
import type { TaskQuery } from './task-query.schema.js';

@Injectable()
export class TaskListService {
  private readonly cache: Cache;

  constructor(
    private readonly database: Database,
    caches: Caches,
  ) {
    this.cache = caches.named({ name: 'task-lists', ttlMs: 5 * 60_000, features: ['tasks'] });
  }

  /**
   * The page as an answer, kept for the same address. What is overdue is not kept: it changes without a write.
   *
   * @throws MalformedRequest where the cursor is not one of this query
   */
  answer(userId: string, query: TaskQuery, address: string): Promise<CachedAnswer> {
    const make = async () => {
      const page = await this.list(userId, query);
      return answerOf(taskPageSchema.parse(page), nextLink(address, page.next_cursor));
    };
    return query.overdue === undefined ? this.cache.through(address, make) : make();
  }

  /**
   * A page of the user's tasks. Walking all pages shows each task that was there throughout, and did not move, once.
   * Consistency: as `Database.read`.
   *
   * @throws MalformedRequest where the cursor is not one of this query
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
