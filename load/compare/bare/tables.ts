import { runSql } from '../../../test/support/test-database.js';

/**
 * A copy of the tasks for a server that is compared, with the primary key and five indexes: what such an application would
 * have. Enums are text, as the servers write them.
 */
export async function copyTasks(databaseUrl: string, schema: 'bare' | 'prisma'): Promise<void> {
  await runSql(
    databaseUrl,
    `CREATE SCHEMA ${schema};
     CREATE TABLE ${schema}.tasks (
       id uuid PRIMARY KEY, user_id uuid NOT NULL, title text NOT NULL, description text NOT NULL, status text NOT NULL,
       priority text NOT NULL, due_at timestamptz(3), tags text[] NOT NULL, completed_at timestamptz(3),
       created_at timestamptz(3) NOT NULL, updated_at timestamptz(3) NOT NULL, deleted_at timestamptz(3),
       version integer NOT NULL
     );
     INSERT INTO ${schema}.tasks
     SELECT id, user_id, title, description, status::text, priority::text, due_at, tags, completed_at, created_at,
       updated_at, deleted_at, version FROM tasks.tasks;
     CREATE INDEX ON ${schema}.tasks (user_id, created_at, id);
     CREATE INDEX ON ${schema}.tasks (user_id, updated_at, id);
     CREATE INDEX ON ${schema}.tasks (user_id, priority, id);
     CREATE INDEX ON ${schema}.tasks (user_id, due_at, id);
     CREATE INDEX ON ${schema}.tasks (user_id, status, created_at, id);`,
  );
}
