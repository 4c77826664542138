import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { client } from '../../test/support/client.js';
import type { LoadUser } from '../support/users.js';

/** The characters of a cursor before and after twelve digits, which are 16 characters. */
export interface FutureCursor {
  readonly head: string;
  readonly tail: string;
}

/** Writes what the scripts of wrk read: tokens, the ids of all tasks with the number of their owner, and a cursor. */
export async function writeDataFiles(
  folder: string,
  apiUrl: string,
  users: readonly LoadUser[],
): Promise<FutureCursor> {
  const tasks = users.flatMap(({ taskIds }, n) => taskIds.map((id) => `${n + 1} ${id}`));
  await writeFile(join(folder, 'users'), linesOf(users.map(({ token }) => token)));
  await writeFile(join(folder, 'tasks'), linesOf(tasks));
  const cursor = futureCursor(await anyCursor(apiUrl, users[0]?.token ?? ''));
  await writeFile(join(folder, 'cursor'), linesOf([`${cursor.head} ${cursor.tail}`]));
  return cursor;
}

const linesOf = (values: readonly string[]): string => values.map((value) => `${value}\n`).join('');

async function anyCursor(apiUrl: string, token: string): Promise<string> {
  const api = client(apiUrl);
  const { body } = await api.request<{ next_cursor: string }>('GET', '/v1/tasks', { token });
  api.close();
  return body.next_cursor;
}

/**
 * A cursor that begins after any task, without the twelve digits between `head` and `tail`, which may be any: each three of
 * them are four characters of base64. It belongs to the query of `cursor`, which the API gave.
 */
export function futureCursor(cursor: string): FutureCursor {
  const [query] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as readonly unknown[];
  const before = `[${JSON.stringify(query)},["2999-01-01T00:00:00.000Z"],"00000000-0000-7000-8000-`;
  // Blanks before the content of JSON mean nothing.
  const aligned = before.padStart(Math.ceil(before.length / 3) * 3);
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  return { head: encode(aligned), tail: encode('",null]') };
}
