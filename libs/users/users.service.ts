import { Injectable } from '@nestjs/common';
import { AccountsPort, type Account } from '../auth/accounts.port.js';
import { answerOf } from '../platform/cache/answer.js';
import type { Cache } from '../platform/cache/cache.js';
import { Caches } from '../platform/cache/caches.js';
import type { CachedAnswer } from '../platform/cache/memory-layer.js';
import { Database } from '../platform/database/database.js';
import { Unauthenticated } from '../platform/errors/common-errors.js';
import { Outbox } from '../platform/events/outbox.js';
import { requireMatch } from '../platform/http/etag.js';
import { ProfileEntity } from './profile.entity.js';
import { lockProfile, ProfilesService, type ProfileChange } from './profiles.service.js';
import { userDeleted } from './users.events.js';
import { userSchema, type PatchUser, type UserView } from './users.schemas.js';

/** Longer than any request takes (`HANDLER_TIMEOUT_MS` is at most 5 min, 15 s as shipped). */
const secondPurgeSeconds = 330;

/** The user as a whole: the profile with what auth knows. */
@Injectable()
export class UsersService {
  private readonly cache: Cache;

  constructor(
    private readonly database: Database,
    private readonly profiles: ProfilesService,
    private readonly accounts: AccountsPort,
    private readonly outbox: Outbox,
    caches: Caches,
  ) {
    this.cache = caches.named({ name: 'profiles', ttlMs: 3_600_000, features: ['auth', 'users'] });
  }

  /** The user as an answer, kept until one of its parts is written. Throws as `get`. */
  answer(userId: string): Promise<CachedAnswer> {
    return this.cache.through(userId, async () => {
      const user = await this.get(userId);
      return answerOf(userSchema.parse(user), { etag: etagOf(user) });
    });
  }

  /**
   * The user, whose profile is made here if a crash came between registration and it. Consistency:
   * as `Database.read`.
   *
   * @throws Unauthenticated where the account is gone
   */
  async get(userId: string): Promise<UserView> {
    const [account, profile] = await Promise.all([this.getAccount(userId), this.profiles.find(userId)]);
    return view(account, profile ?? (await this.complete(account)));
  }

  /** @throws PreconditionFailed where `ifMatch` does not name the current version */
  async patch(userId: string, patch: PatchUser, ifMatch: string | undefined): Promise<UserView> {
    const account = await this.getAccount(userId);
    if ((await this.profiles.find(userId)) === null) await this.complete(account);
    const changed = await this.profiles.update(userId, (current) => {
      requireMatch(ifMatch, etagOf(view(account, current)));
      return changeOf(patch);
    });
    // It was there a moment ago: the account is being deleted.
    if (changed === null) throw closed();
    return view(account, changed);
  }

  /**
   * Deletes the user and tells every feature to delete what it keeps. On return nobody can log in or is logged in any
   * more; a request that was past the guard by then is swept up by a second telling. A crash in between leaves it to
   * the event to end the account.
   *
   * @throws PreconditionFailed where `ifMatch` does not name the current version
   */
  async delete(userId: string, ifMatch: string | undefined): Promise<void> {
    const account = await this.getAccount(userId);
    await this.database.write(async (manager) => {
      const profile = await lockProfile(manager, userId);
      if (profile !== null) requireMatch(ifMatch, etagOf(view(account, profile)));
      await manager.delete(ProfileEntity, { id: userId });
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

/** Two parts change what a client sees: the profile's version and whether the e-mail is verified. */
export function etagOf(user: UserView): string {
  return `"${user.version}-${user.email_verified ? 'v' : 'u'}"`;
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

function changeOf(patch: PatchUser): ProfileChange {
  return {
    ...(patch.name !== undefined && { name: patch.name }),
    ...(patch.timezone !== undefined && { timezone: patch.timezone ?? 'UTC' }),
    ...(patch.locale !== undefined && { locale: patch.locale ?? 'en' }),
  };
}
