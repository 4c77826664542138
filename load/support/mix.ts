import { Random } from '../../test/consistency/random.js';
import type { Call } from './caller.js';
import type { LoadUser } from './users.js';

type Kind = (typeof kinds)[number];
export type KindName = Kind['name'];

/**
 * What users do, as shares of 100: 90 reads and 10 writes. `cache` is the cache that holds the response, `writes` the
 * feature that the call changes. Most reads are of the first page.
 */
export const kinds = [
  { name: 'list', weight: 45, cache: 'task-lists', writes: null },
  { name: 'board', weight: 15, cache: 'task-lists', writes: null },
  { name: 'stats', weight: 10, cache: 'task-stats', writes: null },
  { name: 'profile', weight: 10, cache: 'profiles', writes: null },
  { name: 'task', weight: 10, cache: null, writes: null },
  { name: 'patch', weight: 6, cache: null, writes: 'tasks' },
  { name: 'create', weight: 3, cache: null, writes: 'tasks' },
  { name: 'rename', weight: 1, cache: null, writes: 'users' },
] as const;

export interface Step {
  readonly kind: Kind;
  readonly user: number;
}

/** Gives the same steps for the same seed. */
export class Mix {
  private readonly random: Random;
  private readonly cumulated: readonly number[];

  /** Users return by a Zipf law: the n-th most active one comes 1/n^skew times as often as the first. 0: all equally often. */
  constructor(seed: number, users: number, skew: number) {
    this.random = new Random(seed);
    let sum = 0;
    this.cumulated = Array.from({ length: users }, (_, n) => (sum += 1 / (n + 1) ** skew));
  }

  next(): Step {
    const point = this.random.next() * (this.cumulated.at(-1) ?? 0);
    const user = this.cumulated.findIndex((sum) => sum > point);
    const kind = this.random.weighted(kinds) ?? kinds[0];
    return { kind, user: Math.max(0, user) };
  }

  steps(count: number): Step[] {
    return Array.from({ length: count }, () => this.next());
  }
}

/** `n` makes the written values unique. */
export function callOf({ kind }: Step, { token, taskIds }: LoadUser, n: number): Call {
  const id = taskIds[n % taskIds.length] ?? '';
  switch (kind.name) {
    case 'list':
      return { method: 'GET', path: '/v1/tasks', token };
    case 'board':
      return { method: 'GET', path: '/v1/tasks?status=todo,in_progress&sort=-priority,due_at', token };
    case 'stats':
      return { method: 'GET', path: '/v1/tasks/stats', token };
    case 'profile':
      return { method: 'GET', path: '/v1/users/me', token };
    case 'task':
      return { method: 'GET', path: `/v1/tasks/${id}`, token };
    case 'patch':
      return { method: 'PATCH', path: `/v1/tasks/${id}`, token, body: { title: `Changed ${n} times` } };
    case 'create':
      return { method: 'POST', path: '/v1/tasks', token, body: { title: `New ${n}` } };
    case 'rename':
      return { method: 'PATCH', path: '/v1/users/me', token, body: { name: `Name ${n}` } };
  }
}
