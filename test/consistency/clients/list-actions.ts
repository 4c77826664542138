import { randomUUID } from 'node:crypto';
import type { Actor } from './actor.js';
import type { Board, KnownItem, SharedList } from './board.js';
import type { Called, Request } from './caller.js';

/** An action of one client. It returns how many requests were made, those of other clients included. */
export interface ListAction {
  readonly name: string;
  readonly weight: number;
  run(actor: Actor, board: Board): Promise<number>;
}

const maxItems = 10;
const pathOf = (id: string): string => `/v1/test-list-items/${id}`;

async function readList(actor: Actor, board: Board, list: SharedList | undefined): Promise<number> {
  if (list === undefined) return join(actor, board);
  const path = `/v1/test-lists/${list.id}`;
  const { items = [] } = await actor.as({ kind: 'lists.read', method: 'GET', path, target: list.id });
  for (const { origin: id, version } of items) board.learn({ id, version, list: list.id, isLive: true });
  return 1;
}

/** Somebody who is no member is refused. */
const readOther = (actor: Actor, board: Board): Promise<number> =>
  readList(actor, board, board.pickList(actor, { isMember: false }));

async function readItem(actor: Actor, board: Board, item: KnownItem | undefined): Promise<number> {
  if (item === undefined) return readList(actor, board, board.pickList(actor));
  const request = { kind: 'items.read', method: 'GET', path: pathOf(item.id), target: item.id } as const;
  learn(board, item, await actor.as(request));
  return 1;
}

async function readByPlace(actor: Actor, board: Board): Promise<number> {
  const item = board.pickItem(actor);
  if (item === undefined) return readList(actor, board, board.pickList(actor));
  const path = `${pathOf(item.id)}/by-place`;
  await actor.as({ kind: 'items.by-place', method: 'GET', path, target: item.id });
  return 1;
}

export async function add(actor: Actor, board: Board): Promise<number> {
  const list = board.pickList(actor);
  if (list === undefined) return join(actor, board);
  if (board.liveIn(list).length >= maxItems) return remove(actor, board);
  const item = { id: randomUUID(), list: list.id, version: 1, isLive: true };
  const path = `/v1/test-lists/${list.id}/items`;
  const body = { id: item.id, title: newTitle(actor) };
  const answer = await actor.as({
    ...{ kind: 'items.add', method: 'POST', path, target: item.id, list: list.id, body },
  });
  if (answer.outcome === 'ok') board.learn(item);
  return 1 + (await tell(actor, board, list, item));
}

const patch = (actor: Actor, board: Board): Promise<number> =>
  change(actor, board, (item) => ({
    ...changeOf(item, 'items.patch', 'PATCH'),
    body: { title: newTitle(actor) },
  }));

const move = (actor: Actor, board: Board): Promise<number> =>
  change(actor, board, (item) => {
    const target = board.pickList(actor)?.id ?? item.list;
    return { ...changeOf(item, 'items.move', 'PATCH'), list: target, body: { list_id: target } };
  });

const remove = (actor: Actor, board: Board): Promise<number> =>
  change(actor, board, (item) => changeOf(item, 'items.delete', 'DELETE'));

const changeOf = ({ id }: KnownItem, kind: Request['kind'], method: string): Request => ({
  ...{ kind, method, path: pathOf(id), target: id },
});

async function change(actor: Actor, board: Board, ask: (item: KnownItem) => Request): Promise<number> {
  const item = board.pickItem(actor);
  if (item === undefined) return add(actor, board);
  const request = ask(item);
  const answer = await actor.as(request);
  learn(board, item, answer);
  if (request.kind === 'items.delete' && answer.outcome === 'ok') board.learn({ ...item, isLive: false });
  const isByPlace = actor.random.chance(0.4);
  if (isByPlace) {
    const path = `${pathOf(item.id)}/by-place`;
    await actor.as({ kind: 'items.by-place', method: 'GET', path, target: item.id });
  }
  const list = board.find(answer.place ?? item.list);
  return (isByPlace ? 2 : 1) + (list === undefined ? 0 : await tell(actor, board, list, item));
}

/** Other members hear of a write: they read at once, each through a process of their own. */
async function tell(actor: Actor, board: Board, list: SharedList, item: KnownItem): Promise<number> {
  const { random } = actor;
  const told = [actor, board.pickMember(list, random, [actor]), board.pickMember(list, random, [actor])];
  const reads = told
    .filter((each) => each !== undefined)
    .filter((each) => each.isLoggedIn())
    .map((each) => (random.chance(0.5) ? readList(each, board, list) : readItem(each, board, item)));
  return (await Promise.all(reads)).length;
}

/** Alone, or added by the owner. */
export async function join(actor: Actor, board: Board): Promise<number> {
  const list = board.pickList(actor, { isMember: false });
  if (list === undefined) return 1;
  return changeMembership(actor.random.chance(0.5) ? actor : list.owner, board, {
    list,
    member: actor,
    isJoin: true,
  });
}

/** The owner stays. */
async function leave(actor: Actor, board: Board): Promise<number> {
  const list = board.pickList(actor);
  if (list === undefined || list.owner === actor) return 1;
  return changeMembership(actor, board, { list, member: actor, isJoin: false });
}

async function removeMember(actor: Actor, board: Board): Promise<number> {
  const list = actor.random.pick(board.lists);
  const member = list && board.pickMember(list, actor.random, [list.owner]);
  if (list === undefined || member === undefined) return 1;
  return changeMembership(list.owner, board, { list, member, isJoin: false });
}

interface MembershipChange {
  readonly list: SharedList;
  readonly member: Actor;
  readonly isJoin: boolean;
}

/** Whoever joined or was removed then reads the list. */
async function changeMembership(by: Actor, board: Board, change: MembershipChange): Promise<number> {
  const { list, member, isJoin } = change;
  if (!by.isLoggedIn() || !member.isLoggedIn()) return 1;
  const { outcome } = await by.as({
    kind: isJoin ? 'members.join' : 'members.leave',
    method: isJoin ? 'PUT' : 'DELETE',
    path: `/v1/test-lists/${list.id}/members/${member.user.id}`,
    list: list.id,
    member: member.user.name,
  });
  if (outcome === 'ok' && isJoin) list.members.add(member);
  if (outcome === 'ok' && !isJoin) list.members.delete(member);
  const read = () => (member.isLoggedIn() ? readList(member, board, list) : Promise.resolve(0));
  await Promise.all([read(), read()]);
  return 3;
}

/** A unique title, so that each patch has an effect that differs from all others. */
const newTitle = ({ user }: Actor): string => `${user.name} ${user.nextNumber()}`;

function learn(board: Board, item: KnownItem, { status, version, place }: Called): void {
  if (status === 404) board.learn({ ...item, isLive: false });
  else if (version !== undefined && place !== undefined)
    board.learn({ id: item.id, version, list: place, isLive: true });
}

export const listActions: readonly ListAction[] = [
  { name: 'list', weight: 26, run: (actor, board) => readList(actor, board, board.pickList(actor)) },
  { name: 'item', weight: 20, run: (actor, board) => readItem(actor, board, board.pickItem(actor)) },
  { name: 'by place', weight: 8, run: readByPlace },
  { name: 'other list', weight: 3, run: readOther },
  { name: 'add', weight: 3, run: add },
  { name: 'patch', weight: 8, run: patch },
  { name: 'move', weight: 3, run: move },
  { name: 'delete', weight: 1.5, run: remove },
  { name: 'join', weight: 2.5, run: join },
  { name: 'leave', weight: 1, run: leave },
  { name: 'remove', weight: 1.5, run: removeMember },
];
