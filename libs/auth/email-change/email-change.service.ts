import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../../platform/context/caller.js';
import { userScope } from '../../platform/context/scope.js';
import { Database } from '../../platform/database/database.js';
import { timeAfter } from '../../platform/database/stored-times.js';
import { Outbox } from '../../platform/events/outbox.js';
import { violatedUnique } from '../../platform/postgres/postgres-errors.js';
import { AccountsService } from '../accounts.service.js';
import { EmailTaken, EmailUnchanged, InvalidMailToken, InvalidPassword } from '../auth.errors.js';
import { hashAddress } from '../mails/mail-recipient.js';
import { MailTokensService } from '../mails/mail-tokens.service.js';
import { accountMailRequested } from '../mails/mail.events.js';
import { ReauthenticationService } from '../passwords/reauthentication.service.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { hashToken } from '../tokens/secret-token.js';
import type { EmailChangeInput } from './email-change.schemas.js';

interface PendingChange {
  readonly email: string;
  readonly passwordHash: string;
  readonly newEmail: string;
  readonly passwordDigest: Buffer;
}

/** The address of an account changes when whoever reads the mails of the new one says so. */
@Injectable()
export class EmailChangeService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly reauthentication: ReauthenticationService,
    private readonly mailTokens: MailTokensService,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Asks for a mail to the new address. It takes the place of one that was asked for before. Whether the address has an account is
   * not revealed: then no mail is sent.
   *
   * @throws InvalidPassword, RateLimited, EmailUnchanged
   */
  async request(caller: Caller, input: EmailChangeInput, client: ClientInfo): Promise<void> {
    const { id, email, passwordHash } = await this.reauthentication.require(
      caller,
      input.current_password,
      client,
    );
    if (email.toLowerCase() === input.new_email) throw new EmailUnchanged();
    await this.database.write(async (manager) => {
      if ((await this.accounts.lock(manager, id))?.passwordHash !== passwordHash) throw new InvalidPassword();
      await manager.query(
        `INSERT INTO auth.email_changes (account_id, new_email, password_digest) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT pk_email_changes DO UPDATE
           SET new_email = excluded.new_email, password_digest = excluded.password_digest, created_at = now()`,
        [id, input.new_email, digestOf(passwordHash)],
      );
      await this.mailTokens.void(manager, id, ['change_email']);
      await this.outbox.append(manager, accountMailRequested, { kind: 'change_email', user_id: id });
    });
  }

  /**
   * Makes the address that the token was sent to that of its account, verified, and tells the former one by a mail. Tokens that
   * went there are void.
   *
   * @throws InvalidMailToken, also after a new password
   * @throws EmailTaken where another account got the address meanwhile
   */
  async confirm(token: string): Promise<void> {
    const tokenHash = hashToken(token);
    const userId = await this.mailTokens.findAccount(tokenHash, 'change_email');
    if (userId === null) throw new InvalidMailToken();
    await this.database
      .write((manager) => this.confirmIn(manager, userId, tokenHash), { scopes: [userScope(userId)] })
      .catch((error: unknown) => {
        if (violatedUnique(error) === 'uq_accounts_email') throw new EmailTaken(error);
        throw error;
      });
  }

  private async confirmIn(manager: EntityManager, userId: string, tokenHash: Buffer): Promise<void> {
    const consumed = await this.mailTokens.consume(manager, tokenHash, 'change_email');
    const [change] = await manager.query<PendingChange[]>(
      `SELECT account.email, account.password_hash AS "passwordHash",
         change.new_email AS "newEmail", change.password_digest AS "passwordDigest"
       FROM auth.email_changes change JOIN auth.accounts account ON account.id = change.account_id
       WHERE change.account_id = $1`,
      [userId],
    );
    // A later request may have named another address before its mail was sent.
    if (change === undefined || !consumed?.addressHash.equals(hashAddress(change.newEmail)))
      throw new InvalidMailToken();
    if (!change.passwordDigest.equals(digestOf(change.passwordHash))) throw new InvalidMailToken();
    await manager.query(
      `UPDATE auth.accounts SET email = $2, email_verified_at = ${timeAfter('created_at')} WHERE id = $1`,
      [userId, change.newEmail],
    );
    await this.mailTokens.void(manager, userId, ['reset_password', 'verify_email', 'change_email']);
    await manager.query('DELETE FROM auth.email_changes WHERE account_id = $1', [userId]);
    const former = change.email.toLowerCase();
    await this.accounts.forgetEvents(manager, former, null);
    await this.outbox.append(manager, accountMailRequested, {
      ...{ kind: 'email_changed' as const, user_id: userId, email: former },
    });
  }
}

const digestOf = (passwordHash: string): Buffer => createHash('sha256').update(passwordHash).digest();
