import { AccountsService } from '../../libs/auth/accounts.service.js';
import type { Database } from '../../libs/platform/database/database.js';
import { EventBus } from '../../libs/platform/events/event-bus.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { ProfilesService } from '../../libs/users/profiles.service.js';
import { UsageError } from './usage.js';

type Run = (database: Database) => Promise<void>;

/** `user show|set-tier|set-role EMAIL [VALUE]` */
export function user([action, email, value, ...rest]: string[]): Run {
  if (email === undefined || rest.length > 0) throw new UsageError('Which user?');
  switch (action) {
    case 'show':
      return (database) => show(database, email);
    case 'set-tier':
      if (value !== 'free' && value !== 'premium') throw new UsageError('A tier is free or premium.');
      return (database) => setClaims(database, email, { tier: value });
    case 'set-role':
      if (value !== 'user' && value !== 'admin') throw new UsageError('A role is user or admin.');
      return (database) => setClaims(database, email, { role: value });
    default:
      throw new UsageError(`Unknown command: user ${action ?? ''}`);
  }
}

async function show(database: Database, email: string): Promise<void> {
  const account = await getAccount(database, email);
  const profile = await profiles(database).find(account.id);
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

async function setClaims(
  database: Database,
  email: string,
  claims: Parameters<ProfilesService['setClaims']>[1],
) {
  const { id, registration } = await getAccount(database, email);
  await profiles(database).ensureProfile({ id, ...registration });
  await profiles(database).setClaims(id, claims);
  await show(database, email);
}

async function getAccount(database: Database, email: string) {
  const account = await new AccountsService(database).findByEmail(email);
  if (account === null) throw new UsageError(`There is no user with the e-mail ${email}.`);
  return account;
}

/** The event waits in the outbox: the API's own relay delivers it. */
const profiles = (database: Database) =>
  new ProfilesService(database, new Outbox(database, 'users', new EventBus()));
