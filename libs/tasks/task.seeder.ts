import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';
import { userScope } from '../platform/context/scope.js';
import type { Database } from '../platform/database/database.js';
import type { SeedContext } from '../platform/features/define-feature.js';
import { searchVector } from './search/search-vector.js';
import { wordsVersion } from './search/words.js';
import { reasons, things, verbs } from './task.words.js';
import { priorities, statuses, type Priority, type Status } from './task.entity.js';

const batchSize = 2500;
const dayMs = 86_400_000;
const tags = [
  'work',
  'home',
  'urgent',
  'waiting',
  'finance',
  'travel',
  'health',
  'reading',
  'backend',
  'ops',
];
/** Shares of 100, in the order of `statuses` and `priorities`. */
const statusShares = [40, 15, 37, 8];
const priorityShares = [30, 20, 25, 17, 8];

interface SeededTask {
  readonly id: string;
  readonly userId: string;
  readonly title: string;
  readonly description: string;
  readonly status: Status;
  readonly priority: Priority;
  readonly dueAt: Date | null;
  readonly tags: string;
  readonly completedAt: Date | null;
  readonly createdAt: Date;
}

type Context = Pick<SeedContext, 'database' | 'userIds' | 'count'>;

/** Makes `count` tasks of the last year, shared by the users in turns, and updates the planner's statistics. */
export async function seedTasks({ database, userIds, count }: Context): Promise<void> {
  if (userIds.length === 0) return;
  for (let first = 0; first < count; first += batchSize) {
    const size = Math.min(batchSize, count - first);
    const batch = Array.from({ length: size }, (_, n) =>
      randomTask(userIds[(first + n) % userIds.length] ?? ''),
    );
    await insert(database, batch);
  }
  await database.write((manager) => manager.query('ANALYZE tasks.tasks'), { scopes: [] });
}

function randomTask(userId: string): SeededTask {
  const now = Date.now();
  const createdAt = new Date(now - randomInt(365 * dayMs));
  const status = statuses[weighted(statusShares)] ?? 'todo';
  const isDue = randomInt(10) < 6;
  return {
    // The id holds the time of creation, as that of a real task.
    id: v7({ msecs: createdAt.getTime() }),
    userId,
    title: `${pick(verbs)} ${pick(things)} ${pick(reasons)}`,
    description:
      randomInt(3) === 0 ? '' : `${pick(verbs)} ${pick(things)}, then ${pick(verbs)} ${pick(things)}.`,
    status,
    priority: priorities[weighted(priorityShares)] ?? 'none',
    dueAt: isDue ? new Date(createdAt.getTime() + randomInt(60 * dayMs)) : null,
    tags: [...new Set(Array.from({ length: randomInt(4) }, () => pick(tags)))].join(','),
    completedAt: status === 'done' ? between(createdAt.getTime(), now) : null,
    createdAt,
  };
}

async function insert(database: Database, batch: readonly SeededTask[]): Promise<void> {
  const column = <K extends keyof SeededTask>(name: K) => batch.map((task) => task[name]);
  await database.write(
    (manager) =>
      manager.query(
        `INSERT INTO tasks.tasks (id, user_id, title, description, status, priority, due_at, tags, completed_at,
                                created_at, updated_at, version, search, search_version)
       SELECT id, user_id, title, description, status, priority, due_at, string_to_array(tags, ','), completed_at,
              created_at, coalesce(completed_at, created_at), 1, search::tsvector, ${wordsVersion}
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::tasks.task_status[], $6::tasks.task_priority[],
                   $7::timestamptz[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[])
         AS seeded (id, user_id, title, description, status, priority, due_at, tags, completed_at, created_at, search)`,
        [
          ...[column('id'), column('userId'), column('title'), column('description'), column('status')],
          ...[
            column('priority'),
            column('dueAt'),
            column('tags'),
            column('completedAt'),
            column('createdAt'),
            batch.map((task) => searchVector(task.userId, { ...task, tags: tagsIn(task.tags) })),
          ],
        ],
      ),
    { scopes: [...new Set(batch.map(({ userId }) => userScope(userId)))] },
  );
}

const tagsIn = (tags: string): string[] => tags.split(',').filter((tag) => tag !== '');

const pick = (values: readonly string[]): string => values[randomInt(values.length)] ?? '';

const between = (from: number, to: number): Date => new Date(from + randomInt(Math.max(1, to - from)));

/** A random index of `shares`, each as often as its share of 100. */
function weighted(shares: readonly number[]): number {
  let rest = randomInt(100);
  return shares.findIndex((share) => (rest -= share) < 0);
}
