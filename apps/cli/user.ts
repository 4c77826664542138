import { AccountsService } from '../../libs/auth/accounts.service.js';
import type { DataPath } from '../../libs/platform/data-path.js';
import { EventBus } from '../../libs/platform/events/event-bus.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { ProfilesService } from '../../libs/users/profiles.service.js';
import { UsageError } from './usage.js';

type Run = (path: DataPath) => Promise<void>;

/** `user show|set-tier|set-role EMAIL [VALUE]` */
export function user([action, email, value, ...rest]: string[]): Run {
  if (email === undefined || rest.length > 0) throw new UsageError('Which user?');
  switch (action) {
    case 'show':
      return (path) => show(path, email);
    case 'set-tier':
      if (value !== 'free' && value !== 'premium') throw new UsageError('A tier is free or premium.');
      return (path) => setClaims(path, email, { tier: value });
    case 'set-role':
      if (value !== 'user' && value !== 'admin') throw new UsageError('A role is user or admin.');
      return (path) => setClaims(path, email, { role: value });
    default:
      throw new UsageError(`Unknown command: user ${action ?? ''}`);
  }
}

async function show(path: DataPath, email: string): Promise<void> {
  const account = await getAccount(path, email);
  const profile = await profiles(path).find(account.id);
  const { id, emailVerified, createdAt } = account;
  const view = {
    id,
    email: account.email,
    emailVerified,
    createdAt,
    role: profile?.role,
    tier: profile?.tier,
  };
  process.stdout.write(`${JSON.stringify(view, null, 2)}\n`);
}

async function setClaims(path: DataPath, email: string, claims: Parameters<ProfilesService['setClaims']>[1]) {
  const { id, registration } = await getAccount(path, email);
  await profiles(path).ensureProfile({ id, ...registration });
  await profiles(path).setClaims(id, claims);
  await show(path, email);
}

async function getAccount(path: DataPath, email: string) {
  const account = await new AccountsService(path.databases.forFeature('auth')).findByEmail(email);
  if (account === null) throw new UsageError(`There is no user with the e-mail ${email}.`);
  return account;
}

/** The event waits in the outbox: the API's own relay delivers it. */
const profiles = (path: DataPath) =>
  new ProfilesService(
    path.databases.forFeature('users'),
    new Outbox(path.databases.forFeature('users'), 'users', new EventBus()),
    path.caches,
  );
