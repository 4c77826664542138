import { runSql } from '../../test/support/test-database.js';

/** Those of `tasks.tasks` that the bare table has as well. */
const shared = [
  'pk_tasks',
  'idx_tasks_created_at',
  'idx_tasks_updated_at',
  'idx_tasks_priority',
  'idx_tasks_due_at_desc',
  'idx_tasks_user_status',
];

/**
 * Runs `use` without the further indexes of `tasks.tasks`, and makes them again. The search vector is computed all the same.
 */
export async function withoutIndexes<T>(databaseUrl: string, use: () => Promise<T>): Promise<T> {
  const rows = await runSql(
    databaseUrl,
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE indrelid = 'tasks.tasks'::regclass AND relname <> ALL ($1)`,
    [shared],
  );
  for (const { name } of rows) await runSql(databaseUrl, `DROP INDEX ${String(name)}`);
  try {
    return await use();
  } finally {
    for (const { definition } of rows) await runSql(databaseUrl, String(definition));
  }
}
