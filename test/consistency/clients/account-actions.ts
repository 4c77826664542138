import { createHash } from 'node:crypto';
import type { Action, Actor } from './actor.js';
import type { Called } from './caller.js';
import type { Session } from './users.js';

export const accountActions: readonly Action[] = [
  { name: 'profile.get', weight: 8, run: getProfile },
  { name: 'profile.patch', weight: 3, run: patchProfile },
  { name: 'refresh', weight: 1.2, run: refresh },
  { name: 'refresh twice', weight: 0.4, run: refreshTwice },
  { name: 'logout', weight: 0.7, run: logout },
  { name: 'logout.all', weight: 0.3, run: logoutAll },
  { name: 'sessions.list', weight: 1.5, run: listSessions },
  { name: 'sessions.end', weight: 0.6, run: endSession },
  { name: 'password.change', weight: 0.2, run: changePassword },
  { name: 'revoked token', weight: 2, run: useRevoked },
];

export async function getProfile(actor: Actor): Promise<void> {
  const { version } = await actor.as({ kind: 'profile.get', method: 'GET', path: '/v1/users/me' });
  if (version !== undefined) actor.user.profileVersion = version;
}

export async function patchProfile(actor: Actor): Promise<void> {
  const { user, device, random } = actor;
  const { version } = await actor.as({
    kind: 'profile.patch',
    method: 'PATCH',
    path: '/v1/users/me',
    ifMatch: random.chance(0.3) ? user.profileVersion : undefined,
    body: { name: `${device.name} ${user.nextNumber()}` },
  });
  if (version !== undefined) user.profileVersion = version;
}

export async function register(actor: Actor): Promise<void> {
  const { user } = actor;
  const body = { email: user.email, password: user.password(1), name: user.name, timezone: 'Europe/Berlin' };
  const path = '/v1/auth/register';
  const { outcome, response } = await actor.anonymously({ kind: 'register', method: 'POST', path, body });
  if (outcome !== 'ok') throw new Error(`Registering ${user.email} failed: ${response?.text ?? 'no answer'}`);
  user.id = (response?.body as { readonly id: string }).id;
}

export async function login(actor: Actor): Promise<void> {
  const { user, device } = actor;
  const later = user.lastPasswordTried - user.passwordNumber;
  const numbers = Array.from({ length: later + 1 }, (_, n) => user.passwordNumber + n);
  // Later passwords are tried only after a change without a response.
  for (const number of numbers) {
    const answer = await actor.anonymously({
      kind: 'login',
      method: 'POST',
      path: '/v1/auth/login',
      target: String(number),
      body: { email: user.email, password: user.password(number) },
    });
    device.session = sessionOf(answer, answer.opened);
    if (device.session !== null) user.passwordNumber = number;
    if (answer.status !== 401) return;
  }
}

export async function refresh(actor: Actor): Promise<void> {
  const { session } = actor.device;
  if (session === null) return;
  const answer = await exchange(actor, session);
  // It is unknown whether the old token is still valid, so the device logs in again.
  actor.device.session = sessionOf(answer, session.id);
}

/** Like two tabs of a browser. */
async function refreshTwice(actor: Actor): Promise<void> {
  const { session } = actor.device;
  if (session === null) return;
  const answers = await Promise.all([exchange(actor, session), exchange(actor, session)]);
  const sessions = answers.map((answer) => sessionOf(answer, session.id));
  actor.device.session = sessions.find((each) => each !== null) ?? null;
}

function exchange(actor: Actor, session: Session): Promise<Called> {
  return actor.anonymously({
    kind: 'refresh',
    method: 'POST',
    path: '/v1/auth/refresh',
    session,
    group: createHash('sha256').update(session.refreshToken).digest('hex').slice(0, 16),
    body: { refresh_token: session.refreshToken },
  });
}

async function logout(actor: Actor): Promise<void> {
  const { user, device } = actor;
  const { session } = device;
  const { outcome } = await actor.as({ kind: 'logout', method: 'POST', path: '/v1/auth/logout' });
  if (outcome !== 'ok') return;
  device.session = null;
  user.revoke([session]);
  await useRevoked(actor);
}

async function logoutAll(actor: Actor): Promise<void> {
  const { user, device } = actor;
  const sessions = user.devices.map(({ session }) => session);
  const { outcome } = await actor.as({ kind: 'logout.all', method: 'POST', path: '/v1/auth/logout-all' });
  if (outcome !== 'ok') return;
  device.session = null;
  user.revoke(sessions);
  await useRevoked(actor);
}

export async function listSessions(actor: Actor): Promise<void> {
  await actor.as({ kind: 'sessions.list', method: 'GET', path: '/v1/auth/sessions' });
}

/** Ends the session of another device, which then gets a 401. */
async function endSession(actor: Actor): Promise<void> {
  const other = actor.random.pick(actor.otherSessions);
  if (other === undefined || other === null) return;
  const path = `/v1/auth/sessions/${other.id}`;
  const { outcome } = await actor.as({ kind: 'sessions.end', method: 'DELETE', path, target: other.id });
  if (outcome !== 'ok') return;
  actor.user.revoke([other]);
  await useRevoked(actor);
}

/** Only the first device changes the password, so that changes never overlap. */
async function changePassword(actor: Actor): Promise<void> {
  const { user, device, otherSessions } = actor;
  if (device !== user.devices[0]) return;
  const number = user.passwordNumber + 1;
  user.lastPasswordTried = Math.max(user.lastPasswordTried, number);
  const { outcome } = await actor.as({
    kind: 'password.change',
    method: 'POST',
    path: '/v1/auth/password/change',
    target: String(number),
    body: { current_password: user.password(number - 1), new_password: user.password(number) },
  });
  if (outcome !== 'ok') return;
  user.passwordNumber = number;
  user.revoke(otherSessions);
  await useRevoked(actor);
}

export async function useRevoked(actor: Actor): Promise<void> {
  const session = actor.random.pick(actor.user.revoked);
  if (session === undefined) return;
  // Another process may serve tasks, and keep sessions in a cache of its own.
  if (actor.random.chance(0.5)) await actor.as({ kind: 'list', method: 'GET', path: '/v1/tasks', session });
  else await actor.as({ kind: 'profile.get', method: 'GET', path: '/v1/users/me', session });
}

function sessionOf({ outcome, response }: Called, id: string | undefined): Session | null {
  if (outcome !== 'ok' || response === null || id === undefined) return null;
  const body = response.body as { readonly access_token: string; readonly refresh_token: string };
  return { id, accessToken: body.access_token, refreshToken: body.refresh_token };
}
