import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { TaskPage } from '../tasks.schemas.js';
import { decodeCursor, encodeCursor, type ListedTask } from './task-cursor.js';
import { listStatement } from './task-list.query.js';
import type { TaskQuery } from './task-query.schema.js';

@Injectable()
export class TaskListService {
  constructor(private readonly database: Database) {}

  /**
   * A page of the user's tasks. Walking all pages shows each task that was there throughout, and did not move, once.
   * Consistency: primary.
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
