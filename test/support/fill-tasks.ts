import { Client } from 'pg';
import { wordsVersion } from '../../libs/tasks/search/words.js';
import { reasons, things, verbs } from '../../libs/tasks/task.words.js';

export interface TaskLot {
  /** Task n belongs to owner n modulo the number of owners, so that the tasks of all owners are interleaved. An owner who is listed more often has more tasks. */
  readonly owners: readonly string[];
  readonly count: number;
  /** Each title of the batch begins with it. */
  readonly word?: string;
}

interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

const connections = 2;
const rowsOfAStatement = 100_000;
const settings = [
  "SET maintenance_work_mem = '256MB'",
  'SET synchronous_commit = off',
  // Both connections build indexes; more workers would only wait for a CPU.
  'SET max_parallel_maintenance_workers = 0',
];

/**
 * Creates very many tasks like those of `npm run seed`, spread over the last year, batch by batch, inside Postgres. For
 * an empty table that nobody else uses: its indexes are dropped and created again after all rows, and the table becomes
 * unlogged, which only a crash would reveal. A million tasks take half a minute on two cores, mostly for `search`.
 */
export async function fillTasks(url: string, lots: readonly TaskLot[]): Promise<void> {
  await withClients(url, async (clients) => {
    const run = (statements: readonly Statement[]): Promise<void> => share(clients, statements);
    const [client] = clients;
    const indexes = await client.query<{ name: string; definition: string }>(indexesOfTasks);
    await client.query('ALTER TABLE tasks.tasks SET UNLOGGED');
    for (const { name } of indexes.rows) await client.query(`DROP INDEX ${name}`);
    await run(insertsOf(lots));
    await run(indexes.rows.map(({ definition }) => ({ text: definition })));
    await client.query('VACUUM (FREEZE, ANALYZE) tasks.tasks');
  });
}

type Clients = readonly [Client, ...Client[]];

async function withClients(url: string, use: (clients: Clients) => Promise<void>): Promise<void> {
  const open = (): Client => new Client({ connectionString: url });
  const clients: Clients = [open(), ...Array.from({ length: connections - 1 }, open)];
  try {
    for (const client of clients) {
      await client.connect();
      for (const setting of settings) await client.query(setting);
    }
    await use(clients);
  } finally {
    for (const client of clients) await client.end();
  }
}

/** Each connection runs the next statement as soon as it is free. */
async function share(clients: Clients, statements: readonly Statement[]): Promise<void> {
  const queue = [...statements];
  const work = async (client: Client): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await client.query(next.text, [...(next.values ?? [])]);
    }
  };
  await Promise.all(clients.map(work));
}

/** All indexes except the primary key; GIN, which takes longest to build, comes first. */
const indexesOfTasks = `
  SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
  JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
  WHERE indrelid = 'tasks.tasks'::regclass AND NOT indisprimary ORDER BY amname = 'gin' DESC`;

function insertsOf(lots: readonly TaskLot[]): Statement[] {
  const total = lots.reduce((sum, { count }) => sum + count, 0);
  const statements: Statement[] = [];
  let first = 0;
  for (const { owners, count, word = '' } of lots) {
    for (let done = 0; done < count; done += rowsOfAStatement) {
      const end = first + Math.min(count, done + rowsOfAStatement);
      statements.push({ text: insert, values: [first + done, end - 1, total, owners, owners.length, word] });
    }
    first += count;
  }
  return statements;
}

const array = (words: readonly string[]): string => `ARRAY['${words.join("', '")}']`;
/** SQL that selects one of the words by `hash`. */
const oneOf = (words: readonly string[], hash: string): string =>
  `(${array(words)})[1 + ${hash} % ${words.length}]`;
/** SQL that selects each word as often as its share of 100; `limits` are the cumulated shares except the last. */
const weighted = (words: readonly string[], limits: readonly number[], hash: string): string =>
  `(${array(words)})[1 + width_bucket(${hash} % 100, ARRAY[${limits.join(', ')}])]`;

const tags = ['{}', '{work}', '{home,urgent}', '{waiting,finance,travel}'];

/**
 * Tasks $1 to $2 of $3 in all. Hashes of the task's number replace random numbers, so that every run creates the same tasks.
 * The words are those of English: Postgres cuts them as the application does.
 */
const insert = `
  INSERT INTO tasks.tasks (id, user_id, title, description, status, priority, due_at, tags, completed_at, created_at,
                           updated_at, deleted_at, version, search, search_version)
  SELECT *, tasks.search_vector(user_id, title, description, tags), ${wordsVersion} FROM (SELECT (lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') || '7' ||
           substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
    owner AS user_id, ltrim($6::text || ' ' || ${oneOf(verbs, 'a')} || ' ' || ${oneOf(things, 'a / 11')} || ' ' || ${oneOf(reasons, 'b')}) AS title,
    CASE WHEN b % 3 = 0 THEN '' ELSE ${oneOf(verbs, 'b / 11')} || ' ' || ${oneOf(things, 'b / 121')} || '.' END AS description,
    status::tasks.task_status,
    ${weighted(['none', 'low', 'medium', 'high', 'urgent'], [30, 50, 75, 92], 'a / 100')}::tasks.task_priority,
    CASE WHEN a / 10000 % 10 < 6 THEN created_at + b / 7 % 5000000 * interval '1 s' END,
    ${oneOf(tags, 'b / 3')}::text[] AS tags,
    completed_at, created_at, coalesce(completed_at, created_at),
    CASE WHEN b / 100 % 50 = 0 THEN now() - b % 1000000 * interval '1 s' END, 1
  FROM (
    SELECT *, CASE WHEN status = 'done' THEN least(now(), created_at + a / 100 % 1000000 * interval '1 s') END
      AS completed_at
    FROM (
      SELECT n, a, b, ($4::uuid[])[1 + n % $5::int] AS owner,
        now() - ($3::int - n) * (interval '365 days' / $3::int) AS created_at,
        ${weighted(['todo', 'in_progress', 'done', 'cancelled'], [40, 55, 92], 'a')} AS status
      FROM (
        SELECT n, hashint4(n) & 2147483647 AS a, hashint4(n + 1000000000) & 2147483647 AS b
        FROM generate_series($1::int, $2::int) AS n
      ) AS hashed
    ) AS timed
  ) AS task) AS filled`;
