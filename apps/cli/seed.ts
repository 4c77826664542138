import type { AuthConfig } from '../../libs/auth/auth.config.js';
import { seedAccounts } from '../../libs/auth/auth.seeder.js';
import type { DatabaseFactory } from '../../libs/platform/database/database.js';
import { seedTasks } from '../../libs/tasks/task.seeder.js';
import { seedProfiles } from '../../libs/users/profiles.seeder.js';

/** Fills the database with users and tasks to try things on. */
export async function seed(
  databases: DatabaseFactory,
  config: AuthConfig,
  counts: { users: number; tasks: number },
): Promise<void> {
  const started = performance.now();
  const userIds = await seedAccounts(databases.forFeature('auth'), config, counts.users);
  await seedProfiles(databases.forFeature('users'), userIds);
  await seedTasks(databases.forFeature('tasks'), userIds, counts.tasks);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`Made ${counts.users} users and ${counts.tasks} tasks in ${seconds} s.\n`);
}
