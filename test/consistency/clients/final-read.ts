import { runSql } from '../../support/test-database.js';
import { getProfile, listSessions, login } from './account-actions.js';
import type { Actor } from './actor.js';
import type { ApiProcess } from '../cluster/api-process.js';
import type { Answer, History, Item, Kind } from '../checker/history.js';
import type { User } from './users.js';
import { list, stats } from './task-actions.js';

/** After all faults have ended: reads everything through each process and on the primary itself. */
export async function readFinally(
  history: History,
  actors: readonly Actor[],
  processes: readonly ApiProcess[],
  primaryUrl: (feature: string) => string,
): Promise<void> {
  for (const actor of actors) {
    for (const process of processes) {
      const there = actor.pinnedTo(process);
      for (const read of [list, stats, getProfile, listSessions]) {
        // Its session may have been ended by another device.
        if (!there.isLoggedIn()) await login(there);
        if (there.isLoggedIn()) await read(there);
      }
    }
  }
  for (const user of new Set(actors.map((actor) => actor.user))) await readPrimary(history, user, primaryUrl);
}

async function readPrimary(history: History, user: User, urlOf: (feature: string) => string): Promise<void> {
  const record = (kind: Kind, read: () => Promise<Partial<Answer>>): Promise<unknown> =>
    history.record(
      { user: user.name, client: 'the driver', process: 'primary', kind, isFinal: true },
      async () => ({ outcome: 'ok' as const, ...(await read()) }),
    );
  await record('list', async () => ({ items: await items(urlOf('tasks'), user, tasks), isWhole: true }));
  await record('sessions.list', async () => ({
    items: await items(urlOf('auth'), user, sessions),
    isWhole: true,
  }));
  await record('profile.get', async () => {
    const [profile] = await runSql(
      urlOf('users'),
      'SELECT version, name AS value FROM users.profiles WHERE id = $1',
      [user.id],
    );
    return { version: Number(profile?.['version']), value: String(profile?.['value']) };
  });
}

const tasks = `
  SELECT description AS origin, id AS "taskId", version, title AS value, deleted_at IS NOT NULL AS "isDeleted"
  FROM tasks.tasks WHERE user_id = $1`;
const sessions = `
  SELECT id AS origin, id AS "taskId", 1 AS version, '' AS value, revoked_at IS NOT NULL AS "isDeleted"
  FROM auth.sessions WHERE user_id = $1`;

async function items(url: string, user: User, sql: string): Promise<readonly Item[]> {
  const rows = await runSql(url, sql, [user.id]);
  return rows.map((row) => ({
    origin: String(row['origin']),
    taskId: String(row['taskId']),
    version: Number(row['version']),
    value: String(row['value']),
    isDeleted: row['isDeleted'] === true,
  }));
}
