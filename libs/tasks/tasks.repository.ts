import { In, type EntityManager } from 'typeorm';
import { Turns } from '../platform/async/turns.js';
import { currentTime, statementTime } from '../platform/database/stored-times.js';
import { json, jsonObject } from '../platform/postgres/json-sql.js';
import { searchVector, type Searched } from './search/search-vector.js';
import { wordsVersion } from './search/words.js';
import { differences, type Task, type TaskDraft } from './task.js';
import { TaskEntity } from './task.entity.js';
import { canonicalTags, type TaskView } from './tasks.schemas.js';

/** A member of `TaskView` that is missing here does not compile. */
const members: Readonly<Record<keyof TaskView, string>> = {
  id: json.plain('id'),
  title: json.value('title'),
  description: json.value('description'),
  status: json.plain('status'),
  priority: json.plain('priority'),
  due_at: json.timeOrNull('due_at'),
  tags: json.value('tags'),
  completed_at: json.timeOrNull('completed_at'),
  created_at: json.time('created_at'),
  updated_at: json.time('updated_at'),
  version: json.number('version'),
};

/** The columns of an answer, by the names that they have there: a row needs no mapping. */
export const taskColumns = Object.keys(members).join(', ');

/** A task as the JSON of an answer, byte for byte as `taskSchema` gives it. */
export const taskJson = jsonObject(members);

/** A task that no other transaction changes before this one ends. */
export interface LockedTask extends Task {
  /** When the first task of the call was locked, by the database's clock. */
  readonly lockedAt: Date;
}

/**
 * Locks those of the tasks that are the user's, live or in the trash, until the transaction ends. In the order of their
 * ids, so that two calls that lock several wait for each other instead of deadlocking.
 */
export async function lockTasks(
  manager: EntityManager,
  userId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedTask>> {
  if (ids.length === 0) return new Map();
  const { entities, raw } = await manager
    .createQueryBuilder(TaskEntity, 'task')
    .addSelect(currentTime, 'locked_at')
    .where({ id: In([...ids]), userId })
    .orderBy('task.id')
    .setLock('pessimistic_write')
    .getRawAndEntities<{ locked_at: Date }>();
  const [first] = raw;
  if (first === undefined) return new Map();
  return new Map(entities.map((task) => [task.id, Object.assign(task, { lockedAt: first.locked_at })]));
}

/** Inserts the tasks, of which there is at least one. Returns when they were created, by the database's clock. */
export async function insertTasks(manager: EntityManager, drafts: readonly TaskDraft[]): Promise<Date> {
  const rows: ReturnType<typeof insertValues>[] = [];
  const turns = new Turns();
  for (const draft of drafts) {
    rows.push(insertValues(draft));
    await turns.next();
  }
  const [row] = await manager.query<{ readonly created_at: string }[]>(insertAllSql, [JSON.stringify(rows)]);
  if (row === undefined) throw new Error('An INSERT that returned no row');
  return new Date(row.created_at);
}

/** Writes only the columns that differ: the search vector is not computed again for a change of status. */
export async function storeChange(manager: EntityManager, before: Task, after: Task): Promise<void> {
  const changed = differences(before, after);
  if (Object.keys(changed).length === 0) return;
  const isSearched = searchedParts.some((part) => part in changed);
  const search = isSearched ? newSearch(after) : {};
  await manager.update(TaskEntity, { id: before.id }, { ...changed, ...search });
}

/** The properties of a task that its search vector is made of. */
export const searchedParts = ['title', 'description', 'tags'] as const satisfies (keyof Searched)[];

/** The task may have been stored by a build of before, whose tags can be in another form. */
function newSearch({ userId, title, description, tags: given }: Task) {
  const tags = canonicalTags(given);
  return {
    tags,
    search: searchVector(userId, { title, description, tags }),
    searchVersion: wordsVersion,
    searchTurn: () => 'NOT search_turn',
  };
}

/** Inserts a task for each row of `allowed`, which has the `insertColumns`. */
export const insertSql = `effect AS (
  INSERT INTO tasks.tasks
    (id, user_id, title, description, status, priority, due_at, tags, version, search, search_version,
     completed_at, created_at, updated_at)
  SELECT id, user_id, title, description, status, priority, due_at, tags, version, search, ${wordsVersion},
    CASE WHEN status = 'done' THEN ${statementTime} END, ${statementTime}, ${statementTime}
  FROM allowed
  RETURNING id, user_id, version, ${taskJson} AS json)`;

export const insertColumns = `id uuid, user_id uuid, title text, description text, status tasks.task_status,
  priority tasks.task_priority, due_at timestamptz, tags text[], version int, search tsvector`;

const insertAllSql = `
  WITH allowed AS (SELECT * FROM json_to_recordset($1::json) AS draft (${insertColumns})), ${insertSql}
  SELECT json::json ->> 'created_at' AS created_at FROM effect LIMIT 1`;

export const insertValues = (task: TaskDraft) => ({
  id: task.id,
  user_id: task.userId,
  title: task.title,
  description: task.description,
  status: task.status,
  priority: task.priority,
  due_at: task.dueAt,
  tags: task.tags,
  version: task.version,
  search: searchVector(task.userId, task),
});
