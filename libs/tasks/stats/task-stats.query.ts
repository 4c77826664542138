import { priorities, statuses } from '../task.entity.js';

/** Values come from the code, never from a request. */
const countOfEach = (column: string, values: readonly string[]): string =>
  `json_build_object(${values.map((value) => `'${value}', count(*) FILTER (WHERE ${column} = '${value}')`).join(', ')})`;

const open = `status IN ('todo', 'in_progress')`;

/** The day in the time zone. */
const dayOf = (time: string): string => `(${time} AT TIME ZONE $4)::date`;

/** A rough range that an index can serve; `dayOf` decides. Two days more, because zones are up to 14 hours from UTC and days have up to 25. */
const near = (time: string): string => `${time} >= $2::date - 2 AND ${time} < $3::date + 3`;

/**
 * All figures of a user in one statement, so that they agree: $1 user, $2 first and $3 last day, $4 time zone, $5 now.
 * A day is a day of the local calendar: it has 23 or 25 hours where clocks change.
 */
export const statsStatement = `
  WITH live AS NOT MATERIALIZED (
    SELECT status, priority, due_at, created_at, completed_at FROM tasks.tasks
    WHERE user_id = $1 AND deleted_at IS NULL
  ),
  totals AS (
    SELECT count(*)::int AS total,
      ${countOfEach('status', statuses)} AS by_status,
      ${countOfEach('priority', priorities)} AS by_priority,
      count(*) FILTER (WHERE ${open} AND due_at < $5)::int AS overdue,
      count(*) FILTER (WHERE ${open} AND ${dayOf('due_at')} = ${dayOf('$5::timestamptz')})::int AS due_today,
      count(*) FILTER (WHERE ${open} AND due_at >= $5 AND due_at < $5::timestamptz + interval '168 hours')::int
        AS due_next_7d,
      count(*) FILTER (WHERE status = 'done')::float8 / nullif(count(*) FILTER (WHERE status <> 'cancelled'), 0)
        AS completion_rate,
      (avg(extract(epoch FROM completed_at - created_at)) FILTER (WHERE status = 'done'))::float8
        AS avg_completion_seconds
    FROM live
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
    SELECT json_agg(json_build_object('date', to_char(day, 'YYYY-MM-DD'), 'created', coalesce(created, 0),
        'completed', coalesce(completed, 0)) ORDER BY day) AS series
    FROM (SELECT $2::date + n AS day FROM generate_series(0, $3::date - $2::date) AS n) AS calendar
    LEFT JOIN days USING (day)
  )
  SELECT totals.*, series.series FROM totals, series`;
