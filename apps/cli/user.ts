import type { INestApplicationContext } from '@nestjs/common';
import { roles, tiers } from '../../libs/auth/access/roles.port.js';
import { AccountsPort, type Account } from '../../libs/auth/accounts.port.js';
import { ProfilesService } from '../../libs/users/profiles.service.js';
import type { Command } from './command.js';
import { UsageError } from './usage.js';

/** `user show|set-tier|set-role EMAIL [VALUE]` */
export function user([action, email, value, ...rest]: string[]): Command {
  if (email === undefined || rest.length > 0) throw new UsageError('Which user?');
  switch (action) {
    case 'show':
      return (app) => show(app, email);
    case 'set-tier': {
      const tier = tiers.find((each) => each === value);
      if (tier === undefined) throw new UsageError('A tier is free or premium.');
      return (app) => setClaims(app, email, { tier });
    }
    case 'set-role': {
      const role = roles.find((each) => each === value);
      if (role === undefined) throw new UsageError('A role is user or admin.');
      return (app) => setClaims(app, email, { role });
    }
    default:
      throw new UsageError(`Unknown command: user ${action ?? ''}`);
  }
}

async function show(app: INestApplicationContext, email: string): Promise<void> {
  const account = await getAccount(app, email);
  const profile = await profilesOf(app).find(account.id);
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

/** The event waits in the outbox: a process of the API relays it. */
async function setClaims(
  app: INestApplicationContext,
  email: string,
  claims: Parameters<ProfilesService['setClaims']>[1],
): Promise<void> {
  const { id, registration } = await getAccount(app, email);
  const profiles = profilesOf(app);
  await profiles.ensureProfile({ id, ...registration });
  await profiles.setClaims(id, claims);
  await show(app, email);
}

async function getAccount(app: INestApplicationContext, email: string): Promise<Account> {
  const account = await app.get(AccountsPort, { strict: false }).findByEmail(email);
  if (account === null) throw new UsageError(`There is no user with the e-mail ${email}.`);
  return account;
}

const profilesOf = (app: INestApplicationContext): ProfilesService =>
  app.get(ProfilesService, { strict: false });
