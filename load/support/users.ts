import { join } from 'node:path';
import { client } from '../../test/support/client.js';
import { runApp } from '../../test/support/run.js';
import { runSql } from '../../test/support/test-database.js';
import type { Api } from '../../test/support/api.js';
import type { Deployment } from './deployment.js';

/** A user who is logged in. */
export interface LoadUser {
  readonly token: string;
  readonly taskIds: readonly string[];
}

/** Where the users are made. */
type SeededService = Pick<Deployment, 'databaseUrl' | 'redis' | 'root'> & {
  readonly apis: readonly Pick<Api, 'url'>[];
};

const loginsAtOnce = 4;

const sameTasks = ['../../scripts/typescript-hook.mjs', 'same-tasks.ts']
  .map((file) => `--import=${join(import.meta.dirname, file)}`)
  .join(' ');

/** Creates users and tasks with `npm run seed`, the same each time, and logs all users in by the real route. A thousand users take half a minute. */
export async function seedUsers(
  { apis, databaseUrl, redis, root }: SeededService,
  options: {
    readonly users: number;
    readonly tasksOfEach: number;
    /** What an access token tells is changed before it is made. */
    readonly beforeLogin?: () => Promise<unknown>;
  },
): Promise<LoadUser[]> {
  const counts = ['--users', String(options.users), '--tasks', String(options.users * options.tasksOfEach)];
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, NODE_OPTIONS: sameTasks };
  const { code, output } = await runApp('cli', ['seed', ...counts], env, { root });
  if (code !== 0) throw new Error(`The data could not be made:\n${output}`);
  await options.beforeLogin?.();
  const rows = await runSql(
    databaseUrl,
    `SELECT email, array_agg(task.id::text) AS ids FROM auth.accounts account
     JOIN tasks.tasks task ON task.user_id = account.id GROUP BY email`,
  );
  const ids = new Map(rows.map((row) => [String(row['email']), row['ids'] as string[]]));
  const emails = [...ids.keys()].sort();
  const users = new Map<string, LoadUser>();
  const callers = apis.map(({ url }) => client(url));
  const work = async (first: number): Promise<void> => {
    for (let n = first; n < emails.length; n += loginsAtOnce) {
      const [email = '', caller] = [emails[n], callers[n % callers.length]];
      const session = await caller?.login(email, 'correct horse battery');
      users.set(email, { token: session?.accessToken ?? '', taskIds: ids.get(email) ?? [] });
    }
  };
  await Promise.all(Array.from({ length: loginsAtOnce }, (_, n) => work(n)));
  for (const caller of callers) caller.close();
  return emails.flatMap((email) => users.get(email) ?? []);
}
