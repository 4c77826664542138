import { runSql } from '../../support/test-database.js';
import type { Answer, History, Item, Kind } from '../checker/history.js';
import type { ApiProcess } from '../cluster/api-process.js';
import { login } from './account-actions.js';
import type { Actor } from './actor.js';
import type { Board, SharedList } from './board.js';

const readersOfAList = 3;

/** After all faults have ended: reads each list by several users through each process, and on the primary itself. */
export async function readListsFinally(
  history: History,
  board: Board,
  processes: readonly ApiProcess[],
  primaryUrl: string,
): Promise<void> {
  for (const list of board.lists) {
    for (const reader of [...list.members].slice(0, readersOfAList)) {
      for (const process of processes) await readThrough(reader.pinnedTo(process), list);
    }
    await readPrimary(history, list, primaryUrl);
  }
}

async function readThrough(actor: Actor, { id }: SharedList): Promise<void> {
  if (!actor.isLoggedIn()) await login(actor);
  await actor.as({ kind: 'lists.read', method: 'GET', path: `/v1/test-lists/${id}`, target: id });
}

async function readPrimary(history: History, { id }: SharedList, url: string): Promise<void> {
  const record = (kind: Kind, sql: string): Promise<Answer> =>
    history.record(
      { user: 'the driver', client: 'the driver', process: 'primary', kind, target: id, isFinal: true },
      async () => ({ outcome: 'ok', items: (await runSql(url, sql, [id])).map(itemOf) }),
    );
  await record(
    'lists.read',
    'SELECT id AS origin, version, title AS value FROM shared_lists.items WHERE list_id = $1',
  );
  await record(
    'members.read',
    `SELECT split_part(email, '@', 1) AS origin, version, '' AS value, NOT is_member AS "isDeleted"
     FROM shared_lists.members JOIN auth.accounts ON id = user_id WHERE list_id = $1`,
  );
}

const itemOf = (row: Readonly<Record<string, unknown>>): Item => ({
  origin: String(row['origin']),
  taskId: String(row['origin']),
  version: Number(row['version']),
  value: String(row['value']),
  isDeleted: row['isDeleted'] === true,
});
