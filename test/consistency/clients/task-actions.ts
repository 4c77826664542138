import { setTimeout as sleep } from 'node:timers/promises';
import type { Action, Actor } from './actor.js';
import type { Called, Request } from './caller.js';
import type { KnownTask } from './users.js';

const tags = ['odd', 'even'];

/** Weights for a mix in which every read follows shortly after a write of the same user. */
export const taskActions: readonly Action[] = [
  { name: 'create', weight: 7, run: create },
  { name: 'patch', weight: 14, run: patch },
  { name: 'delete', weight: 5, run: remove },
  { name: 'restore', weight: 3, run: restore },
  { name: 'get', weight: 18, run: get },
  { name: 'list', weight: 22, run: list },
  { name: 'list filtered', weight: 8, run: (actor) => list(actor, actor.random.pick(tags)) },
  { name: 'stats', weight: 10, run: stats },
];

export async function create(actor: Actor): Promise<void> {
  const { user, random } = actor;
  if (!user.hasRoom) return remove(actor);
  const tag = random.pick(tags) ?? '';
  const origin = `${user.name}-${user.nextNumber()}-${tag}`;
  const answer = await tried(actor, {
    kind: 'create',
    method: 'POST',
    path: '/v1/tasks',
    target: origin,
    group: origin,
    headers: { 'idempotency-key': origin },
    body: { title: newTitle(actor), description: origin, tags: [tag] },
  });
  const { taskId: id, version } = answer;
  if (id !== undefined && version !== undefined) user.learn({ origin, id, version, isLive: true });
}

/** Retries through other processes with the same Idempotency-Key while the outcome is unknown. */
async function tried(actor: Actor, request: Request): Promise<Called> {
  for (let tries = 1; ; tries += 1) {
    const answer = await actor.as(request);
    const isOpen = answer.outcome === 'unknown' || answer.code === 'idempotency_in_flight';
    if (!isOpen || tries === 4) return answer;
    await sleep(actor.random.between(50, 700));
  }
}

export async function patch(actor: Actor): Promise<void> {
  const task = actor.user.pickTask(actor.random, { isLive: true });
  if (task === undefined) return create(actor);
  const answer = await actor.as({
    ...of(task, 'PATCH'),
    kind: 'patch',
    ifMatch: actor.random.chance(0.3) ? task.version : undefined,
    body: { title: newTitle(actor) },
  });
  learn(actor, task, answer);
  if (answer.outcome === 'unknown') await lookFor(actor, task);
}

/** After a missing response, the client reads the task and then the list. */
async function lookFor(actor: Actor, task: KnownTask): Promise<void> {
  const look = async (): Promise<void> =>
    learn(actor, task, await actor.as({ ...of(task, 'GET'), kind: 'get' }));
  for (const read of [look, look, list, list]) {
    // Its session may have ended by now.
    if (actor.isLoggedIn()) await read(actor);
  }
}

/** Always with If-Match, so that the checker knows which version was deleted if no response comes. */
export async function remove(actor: Actor): Promise<void> {
  const task = actor.user.pickTask(actor.random, { isLive: true });
  if (task === undefined) return create(actor);
  const answer = await actor.as({ ...of(task, 'DELETE'), kind: 'delete', ifMatch: task.version });
  if (answer.outcome === 'ok') actor.user.learn({ ...task, isLive: false });
  else learn(actor, task, answer);
}

async function restore(actor: Actor): Promise<void> {
  const task = actor.user.pickTask(actor.random, { isLive: false });
  if (task === undefined || !actor.user.hasRoom) return remove(actor);
  const key = `restore-${actor.user.name}-${actor.user.nextNumber()}`;
  const answer = await tried(actor, {
    kind: 'restore',
    method: 'POST',
    path: `/v1/tasks/${task.id}/restore`,
    target: task.origin,
    group: key,
    headers: { 'idempotency-key': key },
    ifMatch: actor.random.chance(0.3) ? task.version : undefined,
  });
  learn(actor, task, answer);
}

export async function get(actor: Actor): Promise<void> {
  const isLive = actor.random.chance(0.85);
  const task = actor.user.pickTask(actor.random, { isLive });
  if (task === undefined) return list(actor);
  const ifNoneMatch = actor.random.chance(0.3) ? task.version : undefined;
  learn(actor, task, await actor.as({ ...of(task, 'GET'), kind: 'get', ifNoneMatch }));
}

export async function list(actor: Actor, tag?: string): Promise<void> {
  const path = tag === undefined ? '/v1/tasks' : `/v1/tasks?tag=${tag}`;
  const { items } = await actor.as({ kind: 'list', method: 'GET', path, filter: tag });
  for (const { origin, taskId: id, version } of items ?? []) {
    actor.user.learn({ origin, id, version, isLive: true });
  }
}

export async function stats(actor: Actor): Promise<void> {
  await actor.as({ kind: 'stats', method: 'GET', path: '/v1/tasks/stats' });
}

/** A unique title, so that each patch has an effect that differs from all others. */
const newTitle = ({ user, device }: Actor): string => `${device.name} ${user.nextNumber()}`;

function of({ id, origin }: KnownTask, method: string): Pick<Request, 'method' | 'path' | 'target'> {
  return { method, path: `/v1/tasks/${id}`, target: origin };
}

function learn({ user }: Actor, task: KnownTask, { status, version }: Called): void {
  if (status === 404) user.learn({ ...task, isLive: false });
  else if (version !== undefined) user.learn({ ...task, version, isLive: true });
}
