import { wordsVersion } from '../../libs/tasks/search/words.js';
import { runSql } from './test-database.js';

/** Matches that each of `selectiveFilters` has. */
export const matchesOfAFilter = 25;

/**
 * Queries with 25 matches among the tasks of `addSelectiveTasks`. Where there are two filters, one or both match about
 * half of the tasks.
 */
export const selectiveFilters = [
  { due_before: '2026-01-01T00:00:00Z' },
  { status: 'cancelled' },
  { priority: 'urgent' },
  { tag: 'rare' },
  { status: 'in_progress', priority: 'low' },
  { status: 'todo,cancelled', due_before: '2026-01-01T00:00:00Z' },
  { priority: 'low', due_before: '2026-01-01T00:00:00Z' },
  { tag: 'rare', status: 'todo' },
  { tag: 'work', priority: 'urgent' },
  { tag: 'work', due_before: '2026-01-01T00:00:00Z' },
] as const satisfies readonly Readonly<Record<string, string>>[];

/** Adds `count` live tasks, a multiple of 50. They have no value at random, so every run has the same. */
export async function addSelectiveTasks(url: string, owner: string, count: number): Promise<void> {
  await runSql(url, insert, [owner, count, count / matchesOfAFilter]);
}

/** $1 owner, $2 number of tasks; every $3rd task matches a filter, others each where there are five such places or more. */
const insert = `
  INSERT INTO tasks.tasks (id, user_id, title, description, status, priority, due_at, tags, created_at, updated_at, version, search, search_version)
  SELECT *, tasks.search_vector(user_id, title, description, tags), ${wordsVersion} FROM (SELECT
    overlay(overlay(md5($1::uuid::text || n) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid,
    $1::uuid AS user_id, left(md5(n::text), 8) || ' of the plan' AS title, repeat('word ', n % 20) AS description,
    CASE WHEN place = 1 THEN 'cancelled' WHEN n % 2 = 0 THEN 'todo' ELSE 'in_progress' END::tasks.task_status,
    CASE WHEN place = 2 THEN 'urgent' WHEN place = 3 OR n % 2 = 0 THEN 'low' ELSE 'high' END::tasks.task_priority,
    CASE WHEN place = 0 THEN '2025-01-01'::timestamptz WHEN n % 2 = 1 THEN '2027-01-01' END + n * interval '1 minute',
    CASE WHEN place = 4 % $3::int THEN '{rare,work}' WHEN n % 2 = 0 THEN '{work}' ELSE '{}' END::text[] AS tags,
    '2026-01-01'::timestamptz + n * interval '1 minute',
    '2026-03-01'::timestamptz + (hashint4(n) & 8388607) * interval '1 second', 1
  FROM (SELECT n, n % $3::int AS place FROM generate_series(1, $2::int) AS n) AS numbered) AS selective`;
