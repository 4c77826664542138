import { isDeepStrictEqual } from 'node:util';
import { client } from '../../test/support/client.js';
import type { ComparedServer } from './server.js';

interface Task {
  readonly [field: string]: unknown;
}

/**
 * Asks each server for the first page of a user's tasks and for one of them.
 * @throws Error where a server answers something else than the first: it would be no comparison
 */
export async function requireSameAnswers(
  [first, ...others]: readonly ComparedServer[],
  token: string,
  cursor: string,
): Promise<void> {
  if (first === undefined) return;
  const wanted = await answersOf(first, token, cursor);
  for (const server of others)
    if (!isDeepStrictEqual(await answersOf(server, token, cursor), wanted))
      throw new Error(`${server.name} answers something else than ${first.name}.`);
}

async function answersOf({ url, name }: ComparedServer, token: string, cursor: string) {
  const server = client(url);
  const ask = async <T>(path: string) => (await server.request<T>('GET', path, { token })).body;
  try {
    const page = await ask<{ data: readonly Task[]; has_more: boolean }>(`/v1/tasks?cursor=${cursor}`);
    // The server of cached answers has this page only.
    const task =
      name === 'cached' ? page.data[0] : await ask<Task>(`/v1/tasks/${String(page.data[0]?.['id'])}`);
    return { page: page.data.map(withTimes), hasMore: page.has_more, task: withTimes(task ?? {}) };
  } finally {
    server.close();
  }
}

/** Servers write the same moment in different forms. */
const withTimes = (task: Task): Task =>
  Object.fromEntries(
    Object.entries(task).map(([field, value]) => [
      field,
      field.endsWith('_at') && typeof value === 'string' ? Date.parse(value) : value,
    ]),
  );
