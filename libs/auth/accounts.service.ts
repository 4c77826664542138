import { Injectable } from '@nestjs/common';
import { Raw, type EntityManager } from 'typeorm';
import { userScope } from '../platform/context/scope.js';
import { Database } from '../platform/database/database.js';
import { asDone } from '../platform/events/inbox.js';
import { AccountsPort, type Account } from './accounts.port.js';
import { AccountEntity } from './account.entity.js';

/** What a password is checked against. */
export interface Credentials {
  readonly id: string;
  readonly passwordHash: string;
}

@Injectable()
export class AccountsService extends AccountsPort {
  constructor(private readonly database: Database) {
    super();
  }

  async find(userId: string): Promise<Account | null> {
    return view(await this.database.read((manager) => manager.findOneBy(AccountEntity, { id: userId })));
  }

  async findByEmail(email: string): Promise<Account | null> {
    const byEmail = { email: Raw((column) => `lower(${column}) = lower(:email)`, { email }) };
    return view(await this.database.read((manager) => manager.findOneBy(AccountEntity, byEmail)));
  }

  /** By e-mail (in lower case). Consistency: primary. */
  async findCredentials(email: string): Promise<Credentials | null> {
    const [row] = await this.database.read((manager) =>
      manager.query<Credentials[]>(
        'SELECT id, password_hash AS "passwordHash" FROM auth.accounts WHERE lower(email) = $1',
        [email],
      ),
    );
    return row ?? null;
  }

  /** The hash of a user's password; null where the account is gone. Consistency: primary. */
  async findPasswordHash(userId: string): Promise<string | null> {
    const account = await this.database.read(
      (manager) =>
        manager.findOne(AccountEntity, { where: { id: userId }, select: { id: true, passwordHash: true } }),
      // It may have been changed from another device, of which no token of this one knows.
      { isOwnOnly: false },
    );
    return account?.passwordHash ?? null;
  }

  /**
   * Replaces the hash `from`.
   *
   * @returns false where the password has been changed meanwhile or the account is gone
   */
  async replacePasswordHash(
    manager: EntityManager,
    userId: string,
    from: string,
    to: string,
  ): Promise<boolean> {
    const result = await manager.update(
      AccountEntity,
      { id: userId, passwordHash: from },
      { passwordHash: to },
    );
    return result.affected === 1;
  }

  async delete(userId: string): Promise<void> {
    await this.database.write((manager) => this.deleteIn(manager, userId), { scopes: [userScope(userId)] });
  }

  /**
   * Deletes the account with its sessions and what events still tell of it, its address and name: those that wait or were
   * set aside, which stay for a month. A second time does nothing.
   */
  async deleteIn(manager: EntityManager, userId: string): Promise<void> {
    await manager.query(
      `DELETE FROM auth.outbox event USING auth.accounts account
       WHERE account.id = $1
         AND (event.payload->>'email' = lower(account.email) OR event.payload->>'user_id' = account.id::text)`,
      [userId],
    );
    // Done instead of deleted: the same event may be on its way once more.
    await manager.query(
      `UPDATE auth.inbox event SET ${asDone}
       FROM auth.accounts account
       WHERE account.id = $1 AND event.done_at IS NULL AND event.payload->>'email' = lower(account.email)`,
      [userId],
    );
    await manager.delete(AccountEntity, { id: userId });
  }
}

function view(account: AccountEntity | null): Account | null {
  if (account === null) return null;
  const { id, email, createdAt, registrationName: name, registrationTimezone: timezone } = account;
  return {
    id,
    email,
    createdAt,
    emailVerified: account.emailVerifiedAt !== null,
    registration: { name, timezone },
  };
}
