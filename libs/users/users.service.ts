import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AccountsPort, type Account } from '../auth/accounts.port.js';
import { auth } from '../auth/auth.port.js';
import type { Cache } from '../platform/cache/cache.js';
import { valueCache } from '../platform/cache/define-cache.js';
import { Database } from '../platform/database/database.js';
import { requireVersion, Unauthenticated, type VersionCondition } from '../platform/errors/common-errors.js';
import { partOf } from '../platform/ids/uuid.js';
import { Outbox } from '../platform/events/outbox.js';
import type { ProfileEntity } from './profile.entity.js';
import { lockProfile, ProfilesService, type ProfileChange } from './profiles.service.js';
import { userDeleted } from './users.events.js';
import { users } from './users.port.js';
import { userSchema, type PatchUser, type UserView } from './users.schemas.js';

/** Longer than any request takes (`HANDLER_TIMEOUT_MS` is at most 5 min, 15 s by default). */
const secondPurgeSeconds = 330;

/** Users by their id, until one of their parts is written. */
export const profiles = valueCache(
  { name: 'profiles', ttlMs: 3_600_000, dependsOn: [auth, users] },
  userSchema,
);

/** The user as a whole: the profile with what auth knows. */
@Injectable()
export class UsersService {
  constructor(
    private readonly database: Database,
    private readonly profiles: ProfilesService,
    private readonly accounts: AccountsPort,
    private readonly outbox: Outbox,
    @Inject(profiles.token) private readonly cache: Cache<UserView>,
  ) {}

  /** As `get`, by way of the cache. */
  async getCached(userId: string): Promise<UserView> {
    return this.cache.through(userId, async () => ({ value: await this.get(userId) }));
  }

  /**
   * The user. The profile is made here if a crash came between registration and it. Consistency: as `Database.read`.
   *
   * @throws Unauthenticated where the account is gone
   */
  async get(userId: string): Promise<UserView> {
    const [account, profile] = await Promise.all([this.getAccount(userId), this.profiles.find(userId)]);
    return view(account, profile ?? (await this.complete(account)));
  }

  /** @throws VersionMismatch where the current revision is not what `expected` asks for */
  async patch(userId: string, patch: PatchUser, expected: VersionCondition<string>): Promise<UserView> {
    const account = await this.getAccount(userId);
    if ((await this.profiles.find(userId)) === null) await this.complete(account);
    const changed = await this.profiles.update(userId, (current) => {
      requireVersion(expected, revisionOf(view(account, current)));
      return changeOf(patch);
    });
    // It was there a moment ago: the account is being deleted.
    if (changed === null) throw closed();
    return view(account, changed);
  }

  /**
   * Deletes the user and tells every feature to delete what it stores. On return nobody can log in or is logged in any
   * more; a request that had passed the guards by then is cleaned up after by a second event. After a crash in between, the
   * event ends the account.
   *
   * @throws VersionMismatch where the current revision is not what `expected` asks for
   */
  async delete(userId: string, expected: VersionCondition<string>): Promise<void> {
    const account = await this.getAccount(userId);
    await this.database.write(async (manager) => {
      const profile = await lockProfile(manager, userId);
      if (profile !== null) requireVersion(expected, revisionOf(view(account, profile)));
      await this.profiles.deleteIn(manager, userId);
      await this.outbox.append(manager, userDeleted, { user_id: userId });
      await this.outbox.append(manager, userDeleted, { user_id: userId }, secondPurgeSeconds);
    });
    await this.accounts.delete(userId);
  }

  private async getAccount(userId: string): Promise<Account> {
    const account = await this.accounts.find(userId);
    if (account === null) throw closed();
    return account;
  }

  private async complete(account: Account): Promise<ProfileEntity> {
    await this.profiles.ensureProfile({ id: account.id, ...account.registration });
    const profile = await this.profiles.find(account.id);
    if (profile === null) throw closed();
    return profile;
  }
}

const closed = () => new Unauthenticated('This account is closed.', 'invalid_token');

/**
 * What changes for a client: the profile's version, whether the e-mail is verified, and which one it is: only another address that
 * is verified takes the place of one. All users have one URL, so the revision also tells whose profile it is.
 */
export function revisionOf(user: UserView): string {
  const email = user.email_verified ? `v${hash('sha256', user.email).slice(0, 8)}` : 'u';
  return `${user.version}-${email}-${partOf(user.id)}`;
}

function view(account: Account, profile: ProfileEntity): UserView {
  return {
    id: profile.id,
    email: account.email,
    email_verified: account.emailVerified,
    name: profile.name,
    timezone: profile.timezone,
    locale: profile.locale,
    role: profile.role,
    tier: profile.tier,
    created_at: account.createdAt,
    updated_at: profile.updatedAt,
    version: profile.version,
  };
}

/** What a patch does to each field; null puts it back to its default. */
const changes: { readonly [K in keyof Required<PatchUser>]: (value: PatchUser[K]) => ProfileChange } = {
  name: (name) => (name === undefined ? {} : { name }),
  timezone: (timezone) => (timezone === undefined ? {} : { timezone: timezone ?? 'UTC' }),
  locale: (locale) => (locale === undefined ? {} : { locale: locale ?? 'en' }),
};

const changeOf = (patch: PatchUser): ProfileChange =>
  Object.assign(
    {},
    ...keysOf(changes).map((field) => changes[field](patch[field] as never)),
  ) as ProfileChange;

const keysOf = <T extends object>(object: T): (keyof T)[] => Object.keys(object) as (keyof T)[];
