import { setTimeout as sleep } from 'node:timers/promises';
import { accountActions, getProfile, login, register } from './account-actions.js';
import { Actor, type Action } from './actor.js';
import type { ApiProcess } from '../cluster/api-process.js';
import type { Caller } from './caller.js';
import { Random } from '../random.js';
import { get, list, stats, taskActions } from './task-actions.js';
import { User } from './users.js';

export interface WorkloadOptions {
  readonly users: number;
  /** Requests per second, of all clients together. */
  readonly rate: number;
  readonly tokens: 'on' | 'off' | 'half';
  /** Shared lists, in the shape that has them. */
  readonly lists?: number;
  /** In each of them. */
  readonly itemsAtStart?: number;
  /** Weights by action that replace the usual ones; 0 omits an action. */
  readonly weights?: Readonly<Record<string, number>>;
}

/** Reads immediately after a write, when a stale response is most likely. */
const lookBacks = [list, list, get, stats, getProfile];
const readNames = new Set(['get', 'list', 'list filtered', 'stats', 'profile.get', 'sessions.list']);

/** Users with one or two devices each; a device sends one request after another, each through a random process. */
export class Workload {
  readonly actors: readonly Actor[];
  private readonly actions: readonly Action[];
  private readonly pauseMs: number;

  constructor(options: WorkloadOptions, seed: number, caller: Caller, processes: readonly ApiProcess[]) {
    const users = Array.from({ length: options.users }, (_, n) => newUser(n, options));
    this.actors = users.flatMap((user, n) =>
      user.devices.map((device, m) => {
        const random = new Random(seed + 1000 * n + m);
        return new Actor(user, device, { random, caller, processes });
      }),
    );
    this.actions = [...taskActions, ...accountActions].map((action) => ({
      ...action,
      weight: options.weights?.[action.name] ?? action.weight,
    }));
    this.pauseMs = (1000 * this.actors.length) / options.rate;
  }

  async prepare(): Promise<void> {
    // One after the other, because password hashes take time.
    for (const actor of this.actors) {
      if (actor.user.id === '') await register(actor);
      await login(actor);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.actors.map((actor) => this.work(actor, signal)));
  }

  private async work(actor: Actor, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const requests = await this.act(actor);
      await sleep(actor.random.between(0, 2 * this.pauseMs * requests));
    }
  }

  /** Returns roughly how many requests it made. */
  private async act(actor: Actor): Promise<number> {
    const { random } = actor;
    if (!actor.isLoggedIn()) {
      await login(actor);
      return 1;
    }
    const action = random.weighted(this.actions);
    await action?.run(actor);
    if (action === undefined || readNames.has(action.name) || random.chance(0.3)) return 1;
    let requests = 1;
    // Its own session may have ended by now.
    for (const most = random.between(1, 4); requests < most && actor.isLoggedIn(); requests += 1) {
      await (random.pick(lookBacks) ?? list)(actor);
    }
    return requests;
  }
}

function newUser(n: number, { tokens }: WorkloadOptions): User {
  const name = `user${n}`;
  const sendsTokens = tokens === 'on' || (tokens === 'half' && n % 4 < 2);
  return new User(name, `${name}@example.com`, { devices: 1 + (n % 2), sendsTokens });
}
