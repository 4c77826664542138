import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { Client } from 'pg';
import { startApi, type Api } from '../support/api.js';
import { runApp } from '../support/run.js';
import { runSql, sharedDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

// Several processes start one after the other, which can take seconds on a busy machine.
jest.setTimeout(120_000);

const appliedTo = async (url: string) => {
  const rows = await Promise.all(
    ['auth', 'users', 'tasks'].map((schema) =>
      runSql(url, `SELECT name FROM ${schema}.migrations ORDER BY id`),
    ),
  );
  return rows.map((migrations) => migrations.map(({ name }) => name));
};

const insertTask = `
  INSERT INTO tasks.tasks (id, user_id, title, description, status, priority, tags, created_at, updated_at, version)
  VALUES (gen_random_uuid(), gen_random_uuid(), 'Task', '', 'todo', 'none', '{}', now(), now(), 1)`;

describe('migrations', () => {
  it('are applied once when ten processes start at once', async () => {
    const url = await sharedDatabase('migrations');
    const env = { DATABASE_URL: url, LOG_LEVEL: 'warn' };
    const runs = await Promise.all(Array.from({ length: 10 }, () => runApp('migrate', [], env)));
    expect(runs.filter(({ code }) => code !== 0)).toEqual([]);
    for (const names of await appliedTo(url)) {
      expect(names.length).toBeGreaterThan(0);
      expect(new Set(names).size).toBe(names.length);
    }
  }, 120_000);

  it('do nothing the second time, and only the requested ones', async () => {
    const url = await sharedDatabase('migrations');
    const env = { DATABASE_URL: url };
    expect((await runApp('migrate', ['users'], env)).code).toBe(0);
    const [{ missing } = {}] = await runSql(url, `SELECT to_regclass('tasks.tasks') IS NULL AS missing`);
    expect(missing).toBe(true);
    expect((await runApp('migrate', [], env)).output).toContain('tasks');
    const before = await appliedTo(url);
    expect((await runApp('migrate', [], env)).output).not.toContain('"migration"');
    expect(await appliedTo(url)).toEqual(before);
    expect(await runApp('migrate', ['nothing'], env)).toMatchObject({
      code: 64,
      output: expect.stringContaining('tasks'),
    });
  });

  it('name every constraint and index, and no foreign key leaves its schema', async () => {
    const url = await sharedDatabase('migrations');
    await runApp('migrate', [], { DATABASE_URL: url });
    const names = await runSql(
      url,
      `SELECT conname AS name, contype AS type, connamespace::regnamespace::text AS schema,
              (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = confrelid) AS target
       FROM pg_constraint WHERE connamespace::regnamespace::text IN ('auth', 'users', 'tasks')
         AND contype <> 'n' AND conrelid::regclass::text NOT LIKE '%migrations'`,
    );
    expect(names.length).toBeGreaterThan(10);
    const prefixes: Readonly<Record<string, string>> = { p: 'pk_', c: 'chk_', u: 'uq_', f: 'fk_' };
    expect(names.filter(({ name, type }) => !String(name).startsWith(prefixes[String(type)] ?? '?'))).toEqual(
      [],
    );
    expect(names.filter(({ schema, target }) => target !== null && target !== schema)).toEqual([]);
    const indexes = await runSql(url, `SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'tasks'`);
    expect(indexes.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'idx_tasks_user_id',
        'idx_tasks_status',
        'idx_tasks_created_at',
        'idx_tasks_user_status',
      ]),
    );
  });

  it('build an index while tasks are written, also after an interrupted attempt', async () => {
    const url = await sharedDatabase('migrations');
    const env = { DATABASE_URL: url };
    await runApp('migrate', [], env);
    await runSql(url, `DELETE FROM tasks.migrations WHERE name LIKE 'FindTasksByStatusAndPriority%'`);
    await runSql(url, 'CREATE INDEX idx_tasks_status_new ON tasks.tasks (id)');
    const writer = new Client({ connectionString: url });
    await writer.connect();
    await writer.query('BEGIN');
    await writer.query(insertTask);
    const runs = [runApp('migrate', [], env), runApp('migrate', [], env)];
    const isBuilding = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%INDEX CONCURRENTLY%'
      AND state = 'active' AND pid <> pg_backend_pid()`;
    await waitFor(async () => (await runSql(url, isBuilding)).length > 0, { timeoutMs: 30_000 });
    await runSql(url, insertTask);
    expect(await runSql(url, isBuilding)).toHaveLength(1);
    await writer.query('COMMIT');
    await writer.end();
    expect((await Promise.all(runs)).map(({ code }) => code)).toEqual([0, 0]);
    const indexes = await runSql(
      url,
      `SELECT relname, indisvalid, pg_get_indexdef(indexrelid) AS definition
       FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname LIKE 'idx_tasks_status%'`,
    );
    expect(indexes).toEqual([
      {
        relname: 'idx_tasks_status',
        indisvalid: true,
        definition: expect.stringContaining('(user_id, status, priority, due_at) WHERE'),
      },
    ]);
  });

  it('do not change a schema that is newer', async () => {
    const url = await sharedDatabase('migrations');
    const env = { DATABASE_URL: url };
    await runApp('migrate', [], env);
    // The state that the next version would leave: one more migration, and a column that this version does not know.
    const name = 'AddTaskColor9999999999999';
    await runSql(url, `INSERT INTO tasks.migrations (timestamp, name) VALUES (9999999999999, '${name}')`);
    await runSql(url, 'ALTER TABLE tasks.tasks ADD COLUMN color text');
    const before = await appliedTo(url);
    const run = await runApp('migrate', [], env);
    expect(run).toMatchObject({ code: 0, output: expect.not.stringContaining('"migration"') });
    expect((await runApp('migrate', ['--wait'], env)).code).toBe(0);
    expect(await appliedTo(url)).toEqual(before);
    expect(before.flat()).toContain(name);
  });
});

describe('migrate --wait', () => {
  const wait = (databaseUrl: string): Promise<Api> =>
    startApi({ app: 'migrate', args: ['--wait'], databaseUrl, waitUntilReady: false });
  const linesOf = (api: Api, words: string) =>
    api
      .logs()
      .split('\n')
      .filter((line) => line.includes(words)).length;

  it('changes nothing, and ends after another process has migrated', async () => {
    const url = await sharedDatabase('migrations');
    const waiting = await wait(url);
    await waitFor(() => waiting.logs().includes('waiting for migrations'));
    // Long enough for several attempts, which it logs once.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(linesOf(waiting, 'waiting for')).toBe(1);
    expect(await runSql(url, `SELECT 1 FROM pg_namespace WHERE nspname IN ('tasks', 'platform')`)).toEqual(
      [],
    );
    await runApp('migrate', ['tasks'], { DATABASE_URL: url });
    expect((await runApp('migrate', ['--wait', 'tasks'], { DATABASE_URL: url })).code).toBe(0);
    await runApp('migrate', [], { DATABASE_URL: url });
    expect(await waiting.exited()).toBe(0);
    expect(waiting.logs()).toContain('the schemas are up to date');
  });

  it('ends at once on a signal, also during an attempt', async () => {
    // It accepts connections and never answers.
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      const waiting = await wait(`postgres://nobody@127.0.0.1:${port}/nothing`);
      await waitFor(() => waiting.logs().includes('waiting for the database'), { timeoutMs: 20_000 });
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const askedAt = performance.now();
      expect(await waiting.stop('SIGTERM')).toBe(143);
      // Less than the rest of the attempt, which times out after 5 s.
      expect(performance.now() - askedAt).toBeLessThan(3000);
      expect(linesOf(waiting, 'waiting for')).toBe(1);
    } finally {
      silent.close();
    }
  });

  it('reports errors by its exit code: 78 for the configuration, 64 for the arguments', async () => {
    const nothing = await runApp('migrate', ['--wait'], {});
    expect(nothing).toMatchObject({ code: 78, output: expect.stringContaining('DATABASE_URL: is needed') });
    expect((await runApp('migrate', ['--wiat'], { DATABASE_URL: 'postgres://db/x' })).code).toBe(64);
    expect((await runApp('migrate', [], { DATABASE_URL: 'mysql://db/x' })).code).toBe(78);
  });
});
