/** Named, so that Postgres parses each once for a connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const columns = `id, title, description, status, priority, due_at, tags, completed_at, created_at, updated_at, version`;

const json = `
  json_build_object('id', id, 'title', title, 'description', description, 'status', status, 'priority', priority,
    'due_at', due_at, 'tags', tags, 'completed_at', completed_at, 'created_at', created_at, 'updated_at', updated_at,
    'version', version)::text`;

/** The position of a task, in the form of the API's cursors. */
const cursor = `translate(encode(convert_to(json_build_array('', json_build_array(created_at), id, null)::text, 'UTF8'),
  'base64'), E'+/=\\n', '-_')`;

const page = (condition = '') => `
  SELECT json_build_object('data', coalesce(json_agg(task ORDER BY n) FILTER (WHERE n <= 25), '[]'),
    'next_cursor', CASE WHEN count(*) > 25 THEN max(${cursor}) FILTER (WHERE n = 25) END, 'has_more', count(*) > 25)::text
  FROM (
    SELECT row_to_json(row) AS task, row_number() OVER () AS n, created_at, id
    FROM (
      SELECT ${columns} FROM bare.tasks WHERE user_id = $1 AND deleted_at IS NULL ${condition}
      ORDER BY created_at DESC, id DESC LIMIT 26
    ) AS row
  ) AS page`;

export const list: Statement = { name: 'list', text: page() };

export const listAfter: Statement = {
  name: 'list-after',
  text: page('AND (created_at, id) < ($2::timestamptz, $3::uuid)'),
};

export const get: Statement = {
  name: 'get',
  text: `SELECT ${json} FROM bare.tasks WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL`,
};

export const create: Statement = {
  name: 'create',
  text: `
    INSERT INTO bare.tasks (id, user_id, title, description, status, priority, due_at, tags, completed_at, created_at,
      updated_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $5 = 'done' THEN now() END, now(), now(), 1) RETURNING ${json}`,
};

/** A title or a status that is null stays as it is. */
export const update: Statement = {
  name: 'update',
  text: `
    UPDATE bare.tasks SET title = coalesce($3, title), status = coalesce($4, status), updated_at = now(),
      version = version + 1, completed_at = CASE coalesce($4, status) WHEN 'done' THEN coalesce(completed_at, now()) END
    WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING ${json}`,
};

const open = `status IN ('todo', 'in_progress')`;
const countsOf = (column: string, values: readonly string[]) =>
  `json_build_object(${values.map((value) => `'${value}', count(*) FILTER (WHERE ${column} = '${value}')`).join(', ')})`;

/** What the statistics of the API tell, from one pass over the user's tasks. Days are of UTC. */
export const stats: Statement = {
  name: 'stats',
  text: `
    WITH live AS MATERIALIZED (
      SELECT status, priority, due_at, created_at, completed_at FROM bare.tasks WHERE user_id = $1 AND deleted_at IS NULL
    ),
    range AS (
      SELECT coalesce($2::date, coalesce($3::date, current_date) - 29) AS first, coalesce($3::date, current_date) AS last
    ),
    facts AS (
      SELECT (created_at AT TIME ZONE 'UTC')::date AS day, 1 AS created, 0 AS completed FROM live
      UNION ALL SELECT (completed_at AT TIME ZONE 'UTC')::date, 0, 1 FROM live WHERE completed_at IS NOT NULL
    ),
    days AS (
      SELECT first + n AS day, coalesce(sum(created), 0) AS created, coalesce(sum(completed), 0) AS completed
      FROM range CROSS JOIN generate_series(0, last - first) AS n LEFT JOIN facts ON facts.day = first + n
      GROUP BY first + n
    )
    SELECT json_build_object(
      'total', count(*), 'by_status', ${countsOf('status', ['todo', 'in_progress', 'done', 'cancelled'])},
      'by_priority', ${countsOf('priority', ['none', 'low', 'medium', 'high', 'urgent'])},
      'overdue', count(*) FILTER (WHERE ${open} AND due_at < now()),
      'due_today', count(*) FILTER (WHERE ${open} AND (due_at AT TIME ZONE 'UTC')::date = current_date),
      'due_next_7d', count(*) FILTER (WHERE ${open} AND due_at >= now() AND due_at < now() + interval '168 hours'),
      'completion_rate', count(*) FILTER (WHERE status = 'done')::float8 / nullif(count(*) FILTER (WHERE status <> 'cancelled'), 0),
      'avg_completion_seconds', avg(extract(epoch FROM completed_at - created_at)) FILTER (WHERE status = 'done'),
      'series', (SELECT json_agg(days ORDER BY day) FROM (SELECT day AS date, created, completed, day FROM days) AS days),
      'generated_at', now())::text
    FROM live`,
};
