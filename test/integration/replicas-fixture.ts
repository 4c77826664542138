import { expect } from '@jest/globals';
import type { Json, Session } from '../support/client.js';
import type { FleetMember } from '../support/fleet.js';
import { runSql } from '../support/test-database.js';

export interface Task extends Json {
  readonly id: string;
  readonly title: string;
}
interface List {
  readonly data: readonly Task[];
}
export type User = Pick<Session, 'accessToken'>;

export const createTask = (member: FleetMember, { accessToken: token }: User, title: string) =>
  member.request<Task>('POST', '/v1/tasks', { token, body: { title } });

/** Never cached: it always reads the database. */
export const readTask = (member: FleetMember, { accessToken: token }: User, id: string) =>
  member.request<Task>('GET', `/v1/tasks/${id}`, { token });

export const listTasks = (member: FleetMember, { accessToken: token }: User) =>
  member.request<List>('GET', '/v1/tasks', { token });

/** When the API last read from a replica, in milliseconds of Unix time; 0 for never. Probes do not count. */
export async function lastReadAt(url: string): Promise<number> {
  const [row] = await runSql(
    url,
    `SELECT coalesce(max(extract(epoch FROM query_start)) * 1000, 0)::float8 AS at FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'task-api'
       AND query NOT LIKE '%pg_postmaster_start_time%'`,
  );
  return Number(row?.['at']);
}

export interface Load {
  /** Number of calls answered so far. @throws if one failed */
  answered(): number;
  /** Number of calls answered with 503, if that is allowed. */
  refused(): number;
  /** Ends the load. Fails if a call failed. */
  stop(): Promise<void>;
}

/** Sends calls one after the other in each of `width` lanes until it is stopped; every response must have that status. */
export function keepCalling(
  width: number,
  status: number,
  call: (n: number) => Promise<{ readonly status: number; readonly text: string }>,
  { mayRefuse = false } = {},
): Load {
  let isOver = false;
  let answers = 0;
  let refusals = 0;
  const lane = async (first: number): Promise<void> => {
    for (let n = first; !isOver; n += width) {
      const answer = await call(n);
      if (mayRefuse && answer.status === 503) {
        refusals++;
        continue;
      }
      expect([answer.status, answer.text]).toEqual([status, expect.any(String)]);
      answers++;
    }
  };
  const lanes = Promise.all(Array.from({ length: width }, (_, n) => lane(n)));
  let failure: Error | null = null;
  lanes.catch((error: unknown) => (failure = error instanceof Error ? error : new Error(String(error))));
  return {
    answered: () => {
      if (failure !== null) throw failure;
      return answers;
    },
    refused: () => refusals,
    stop: async () => {
      isOver = true;
      await lanes;
    },
  };
}
