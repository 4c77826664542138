import { runApp } from '../support/run.js';
import { runSql, sharedDatabase } from '../support/test-database.js';

const appliedTo = async (url: string) => {
  const rows = await Promise.all(
    ['auth', 'users', 'tasks'].map((schema) =>
      runSql(url, `SELECT name FROM ${schema}.migrations ORDER BY id`),
    ),
  );
  return rows.map((migrations) => migrations.map(({ name }) => name));
};

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

  it('do nothing the second time, and only what they are told', async () => {
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
});
