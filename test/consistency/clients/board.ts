import type { Random } from '../random.js';
import type { Actor } from './actor.js';

export interface KnownItem {
  readonly id: string;
  readonly list: string;
  readonly version: number;
  readonly isLive: boolean;
}

export interface SharedList {
  readonly id: string;
  readonly owner: Actor;
  /** As far as the clients know. */
  readonly members: Set<Actor>;
}

const maxDead = 10;

/** What the clients know together about the shared lists: each is told what another one has seen. */
export class Board {
  readonly lists: SharedList[] = [];
  private readonly items = new Map<string, KnownItem>();

  /** One of the lists that the actor is a member of, or is not. */
  pickList(actor: Actor, { isMember = true } = {}): SharedList | undefined {
    return actor.random.pick(this.lists.filter(({ members }) => members.has(actor) === isMember));
  }

  liveIn(list: SharedList): readonly KnownItem[] {
    return [...this.items.values()].filter((item) => item.isLive && item.list === list.id);
  }

  /** An item of a list of the actor; rarely one that was deleted. */
  pickItem(actor: Actor): KnownItem | undefined {
    const isLive = actor.random.chance(0.95);
    const own = new Set(this.lists.filter(({ members }) => members.has(actor)).map(({ id }) => id));
    return actor.random.pick(
      [...this.items.values()].filter((item) => item.isLive === isLive && own.has(item.list)),
    );
  }

  pickMember(list: SharedList, random: Random, besides: readonly Actor[]): Actor | undefined {
    return random.pick([...list.members].filter((actor) => !besides.includes(actor)));
  }

  find(list: string): SharedList | undefined {
    return this.lists.find(({ id }) => id === list);
  }

  /** Keeps the newest known version of an item. */
  learn(item: KnownItem): void {
    const known = this.items.get(item.id);
    if (known !== undefined && (known.version > item.version || !known.isLive)) return;
    this.items.set(item.id, item);
    const dead = [...this.items.values()].filter(({ isLive }) => !isLive);
    for (const { id } of dead.slice(0, -maxDead)) this.items.delete(id);
  }
}
