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

/** It may have been changed from another device, of which no token of this one knows. */
const changedByOthers = { isOwnOnly: false };

@Injectable()
export class AccountsService extends AccountsPort {
  constructor(private readonly database: Database) {
    super();
  }

  async find(userId: string): Promise<Account | null> {
    const find = (manager: EntityManager) => manager.findOneBy(AccountEntity, { id: userId });
    // A mailed token changes it without the user's access token.
    return view(await this.database.read(find, changedByOthers));
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
      changedByOthers,
    );
    return account?.passwordHash ?? null;
  }

  /** The address that the account is to have once it is confirmed; null where none was asked for. Consistency: as `Database.read`. */
  async findPendingEmail(userId: string): Promise<string | null> {
    const [row] = await this.database.read(
      (manager) =>
        manager.query<{ email: string }[]>(
          'SELECT new_email AS email FROM auth.email_changes WHERE account_id = $1',
          [userId],
        ),
      changedByOthers,
    );
    return row?.email ?? null;
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

  /** Deletes the account with its sessions and what events still tell of it. A second time does nothing. */
  async deleteIn(manager: EntityManager, userId: string): Promise<void> {
    // A login may be about to publish that its device is new.
    const account = await this.lock(manager, userId);
    if (account === null) return;
    await this.forgetEvents(manager, account.email, userId);
    await manager.delete(AccountEntity, { id: userId });
  }

  /**
   * Locks the account, before anything else that a transaction changes of it: two that take their locks in another order would wait
   * for each other. Returns its e-mail (in lower case) and the hash of its password; null where it is gone.
   */
  async lock(
    manager: EntityManager,
    userId: string,
  ): Promise<{ readonly email: string; readonly passwordHash: string } | null> {
    const [account] = await manager.query<{ email: string; passwordHash: string }[]>(
      `SELECT lower(email) AS email, password_hash AS "passwordHash" FROM auth.accounts WHERE id = $1 FOR UPDATE`,
      [userId],
    );
    return account ?? null;
  }

  /**
   * Removes an address (in lower case), and a user, from events: those that wait or were set aside, which stay for a month. Mails
   * that are to tell a user something name both: of an address alone they stay.
   */
  async forgetEvents(manager: EntityManager, email: string, userId: string | null): Promise<void> {
    const isOfThem = `(payload->>'user_id' = $2 OR payload->>'email' = $1 AND payload->>'user_id' IS NULL)`;
    await manager.query(`DELETE FROM auth.outbox WHERE ${isOfThem}`, [email, userId]);
    // Done instead of deleted: the same event may be on its way once more.
    await manager.query(`UPDATE auth.inbox SET ${asDone} WHERE done_at IS NULL AND ${isOfThem}`, [
      email,
      userId,
    ]);
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
