import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { userScope } from '../platform/context/scope.js';
import type { Cache } from '../platform/cache/cache.js';
import { valueCache } from '../platform/cache/define-cache.js';
import { Database } from '../platform/database/database.js';
import { timeAfter } from '../platform/database/stored-times.js';
import type { Role, Tier } from '../auth/access/roles.port.js';
import { userRegistered } from '../auth/auth.events.js';
import { asDone } from '../platform/events/inbox.js';
import { Outbox } from '../platform/events/outbox.js';
import { ProfileEntity } from './profile.entity.js';
import { userClaimsChanged } from './users.events.js';
import { users, UsersPort, type NewProfile } from './users.port.js';

/** Time zones by the id of their user. */
export const timezones = valueCache({ name: 'timezones', ttlMs: 3_600_000, dependsOn: [users] }, z.string());

/** The profiles themselves; knows nothing of accounts. */
@Injectable()
export class ProfilesService extends UsersPort {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    @Inject(timezones.token) private readonly timezones: Cache<string>,
  ) {
    super();
  }

  async ensureProfile(profile: NewProfile): Promise<void> {
    await this.database.write((manager) => this.ensureIn(manager, profile), {
      scopes: [userScope(profile.id)],
    });
  }

  /** The same in a transaction of the caller. */
  async ensureIn(manager: EntityManager, { id, name, timezone }: NewProfile): Promise<void> {
    await manager.query(
      `INSERT INTO users.profiles (id, name, timezone) VALUES ($1, $2, $3)
       ON CONFLICT ON CONSTRAINT pk_profiles DO NOTHING`,
      [id, name, timezone],
    );
  }

  async claimsOf(userId: string): Promise<{ role: Role; tier: Tier }> {
    const profile = await this.find(userId);
    return { role: profile?.role ?? 'user', tier: profile?.tier ?? 'free' };
  }

  async nameOf(userId: string): Promise<string | null> {
    return (await this.find(userId))?.name ?? null;
  }

  async timezoneOf(userId: string): Promise<string> {
    return this.timezones.through(userId, async () => ({
      value: (await this.find(userId))?.timezone ?? 'UTC',
    }));
  }

  find(userId: string): Promise<ProfileEntity | null> {
    return this.database.read((manager) => manager.findOneBy(ProfileEntity, { id: userId }));
  }

  /** Deletes the profile, and the name in events that would make it: those that wait or were set aside are done. */
  async deleteIn(manager: EntityManager, userId: string): Promise<void> {
    await manager.delete(ProfileEntity, { id: userId });
    await manager.query(
      `UPDATE users.inbox SET ${asDone}
       WHERE topic = $2 AND done_at IS NULL AND payload->>'user_id' = $1`,
      [userId, userRegistered.topic],
    );
  }

  /** Locks the profile, hands it to `change` and stores what that returns; null where there is no profile. */
  update(userId: string, change: (current: ProfileEntity) => ProfileChange): Promise<ProfileEntity | null> {
    return this.database.write(
      async (manager) => {
        const current = await lockProfile(manager, userId);
        if (current === null) return null;
        return store(manager, current, change(current));
      },
      { scopes: [userScope(userId)] },
    );
  }

  /**
   * Sets role or tier. Tokens that claim the old ones are refused as soon as auth has heard of it.
   *
   * @returns false where there is no such profile
   */
  setClaims(userId: string, claims: { role?: Role; tier?: Tier }): Promise<boolean> {
    return this.database.write(
      async (manager) => {
        const current = await lockProfile(manager, userId);
        if (current === null) return false;
        const { version } = current;
        const stored = await store(manager, current, claims);
        if (stored.version !== version)
          await this.outbox.append(manager, userClaimsChanged, { user_id: userId });
        return true;
      },
      { scopes: [userScope(userId)] },
    );
  }
}

export type ProfileChange = Partial<Pick<ProfileEntity, 'name' | 'timezone' | 'locale'>>;

export function lockProfile(manager: EntityManager, id: string): Promise<ProfileEntity | null> {
  return manager.findOne(ProfileEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
}

/** Stores what is different, as one version more; nothing where nothing is. */
async function store(
  manager: EntityManager,
  profile: ProfileEntity,
  change: Partial<ProfileEntity>,
): Promise<ProfileEntity> {
  const isDifferent = Object.entries(change).some(
    ([field, value]) => profile[field as keyof ProfileEntity] !== value,
  );
  if (!isDifferent) return profile;
  const version = profile.version + 1;
  const result = await manager
    .createQueryBuilder()
    .update(ProfileEntity)
    .set({ ...change, version, updatedAt: () => timeAfter('created_at', 'updated_at') })
    .where({ id: profile.id })
    .returning('updated_at')
    .execute();
  const [row] = result.raw as readonly { readonly updated_at: Date }[];
  if (row === undefined) throw new Error('An UPDATE of a locked row that returned none');
  return Object.assign(profile, change, { version, updatedAt: row.updated_at });
}
