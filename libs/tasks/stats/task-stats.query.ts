import { json, jsonObject } from '../../platform/postgres/json-sql.js';
import { prepared } from '../../platform/postgres/statement.js';
import { priorities, statuses } from '../task.entity.js';
import type { StatsView } from './stats.schemas.js';

/** Values come from the code, never from a request. */
const countOfEach = (column: string, values: readonly string[]): string =>
  jsonObject(
    Object.fromEntries(values.map((value) => [value, `count(*) FILTER (WHERE ${column} = '${value}')`])),
  );

const open = `status IN ('todo', 'in_progress')`;

/** The day in the time zone: the offset is that of the last of the times $4 that is not later. */
const dayOf = (time: string): string =>
  `((${time} AT TIME ZONE 'UTC') + ($7)[width_bucket(${time}, $4)])::date`;

/** A rough range that an index can serve; `dayOf` decides. Two days more, because zones are up to 14 hours from UTC and days have up to 25. */
const near = (time: string): string => `${time} >= $2::date - 2 AND ${time} < $3::date + 3`;

/** Only for times of these days, because finding the day costs more than all else that is done with a task. */
const isToday = (time: string): string =>
  `${time} >= $5 - interval '48 hours' AND ${time} < $5 + interval '48 hours' AND ${dayOf(time)} = ${dayOf('$5')}`;

/** A member of `StatsView` that is missing here does not compile. */
const members: Readonly<Record<keyof StatsView, string>> = {
  total: 'count(*)',
  by_status: countOfEach('status', statuses),
  by_priority: countOfEach('priority', priorities),
  overdue: `count(*) FILTER (WHERE ${open} AND due_at < $5)`,
  due_today: `count(*) FILTER (WHERE ${open} AND ${isToday('due_at')})`,
  due_next_7d: `count(*) FILTER (WHERE ${open} AND due_at >= $5 AND due_at < $5 + interval '168 hours')`,
  completion_rate: json.numberOrNull(
    `(count(*) FILTER (WHERE status = 'done'))::float8 / nullif(count(*) FILTER (WHERE status <> 'cancelled'), 0)`,
  ),
  avg_completion_seconds: json.numberOrNull(
    `(avg(extract(epoch FROM completed_at - created_at)) FILTER (WHERE status = 'done'))::float8`,
  ),
  series: '(SELECT series FROM series)',
  generated_at: json.time('$5'),
};

const day = jsonObject({
  date: json.plain(`to_char(day, 'YYYY-MM-DD')`),
  created: json.number('coalesce(created, 0)'),
  completed: json.number('coalesce(completed, 0)'),
});

/**
 * All figures of a user as JSON, in one statement, so that they agree: $1 user, $2 first and $3 last day, $4 and $7 the times and
 * offsets of `ZoneOffsets`, $5 now, $6 all days. A day is a day of the local calendar: it has 23 or 25 hours where clocks change.
 *
 * Planning takes longer than running it for a hundred tasks. Postgres keeps a plan for all values only where it expects no more
 * rows than with these: of an array it expects ten, of `generate_series` a thousand.
 */
export const statsStatement = prepared(
  `WITH live AS NOT MATERIALIZED (
    SELECT status, priority, due_at, created_at, completed_at FROM tasks.tasks
    WHERE user_id = $1 AND deleted_at IS NULL
  ),
  days AS (
    SELECT day, sum(created)::int AS created, sum(completed)::int AS completed
    FROM (
      SELECT ${dayOf('created_at')} AS day, 1 AS created, 0 AS completed FROM live WHERE ${near('created_at')}
      UNION ALL
      SELECT ${dayOf('completed_at')}, 0, 1 FROM live WHERE ${near('completed_at')}
    ) AS facts
    GROUP BY day
  ),
  series AS (
    SELECT '[' || string_agg(${day}, ',' ORDER BY day) || ']' AS series
    FROM unnest($6::date[]) AS day LEFT JOIN days USING (day)
  )
  SELECT ${jsonObject(members)} FROM live`
    .replaceAll('$5', '$5::timestamptz')
    .replaceAll('$4', '$4::timestamptz[]')
    .replaceAll('$7', '$7::interval[]'),
);
