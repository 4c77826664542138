import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiProcess } from '../cluster/api-process.js';
import { Random } from '../random.js';
import { login, register } from './account-actions.js';
import { Actor } from './actor.js';
import { Board } from './board.js';
import type { Caller } from './caller.js';
import { add, listActions, type ListAction } from './list-actions.js';
import { User } from './users.js';
import type { WorkloadOptions } from './workload.js';

const usualLists = 4;
const usualItems = 4;
/** Logins at once. */
const width = 4;

/** Users with one client each who share a few lists. Each request goes through a random process. */
export class ListWorkload {
  readonly actors: readonly Actor[];
  readonly board = new Board();
  private readonly actions: readonly ListAction[];
  private readonly pauseMs: number;
  private readonly listCount: number;
  private readonly itemsAtStart: number;

  constructor(options: WorkloadOptions, seed: number, caller: Caller, processes: readonly ApiProcess[]) {
    this.actors = Array.from({ length: options.users }, (_, n) => {
      const user = newUser(n, options);
      const [device] = user.devices;
      if (device === undefined) throw new Error('A user has a device.');
      return new Actor(user, device, { random: new Random(seed + 1000 * n), caller, processes });
    });
    this.actions = listActions.map((action) => ({
      ...action,
      weight: options.weights?.[action.name] ?? action.weight,
    }));
    this.pauseMs = (1000 * this.actors.length) / options.rate;
    this.listCount = options.lists ?? usualLists;
    this.itemsAtStart = options.itemsAtStart ?? usualItems;
  }

  async prepare(): Promise<void> {
    const left = [...this.actors];
    const lane = async (): Promise<void> => {
      for (let actor = left.shift(); actor !== undefined; actor = left.shift()) {
        await register(actor);
        await login(actor);
      }
    };
    await Promise.all(Array.from({ length: width }, lane));
    for (let n = 0; n < this.listCount; n += 1) await this.createList(n);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.actors.map((actor) => this.work(actor, signal)));
  }

  /** Half of the users are members from the start. */
  private async createList(n: number): Promise<void> {
    const owner = this.actors[n % this.actors.length];
    if (owner === undefined) throw new Error('There are no users.');
    const list = { id: randomUUID(), owner, members: new Set([owner]) };
    const { outcome } = await owner.as({
      ...{ kind: 'lists.create', method: 'POST', path: '/v1/test-lists' },
      ...{ target: list.id, list: list.id, member: owner.user.name },
      body: { id: list.id, title: `list ${n}` },
    });
    if (outcome !== 'ok') throw new Error('A list could not be created.');
    this.board.lists.push(list);
    for (const member of this.actors.filter((actor, m) => actor !== owner && (n + m) % 2 === 0)) {
      await this.addMember(list, member);
    }
    for (let items = 0; items < this.itemsAtStart; items += 1) await add(owner, this.board);
  }

  private async addMember(list: Board['lists'][number], member: Actor): Promise<void> {
    const path = `/v1/test-lists/${list.id}/members/${member.user.id}`;
    const { outcome } = await list.owner.as({
      ...{ kind: 'members.join', method: 'PUT', path, list: list.id, member: member.user.name },
    });
    if (outcome === 'ok') list.members.add(member);
  }

  private async work(actor: Actor, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const requests = actor.isLoggedIn() ? await this.act(actor) : await login(actor).then(() => 1);
      await sleep(actor.random.between(0, 2 * this.pauseMs * requests));
    }
  }

  private async act(actor: Actor): Promise<number> {
    return (await actor.random.weighted(this.actions)?.run(actor, this.board)) ?? 1;
  }
}

function newUser(n: number, { tokens }: WorkloadOptions): User {
  const sendsTokens = tokens === 'on' || (tokens === 'half' && n % 4 < 2);
  return new User(`user${n}`, `user${n}@example.com`, { devices: 1, sendsTokens });
}
