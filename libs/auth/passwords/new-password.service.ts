import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Outbox } from '../../platform/events/outbox.js';
import type { Account } from '../accounts.port.js';
import { MailTokensService } from '../mails/mail-tokens.service.js';
import { accountMailRequested } from '../mails/mail.events.js';
import { SessionsService } from '../sessions/sessions.service.js';

/** What a new password means for the rest of the account. */
@Injectable()
export class NewPasswordService {
  constructor(
    private readonly mailTokens: MailTokensService,
    private readonly sessions: SessionsService,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Within the transaction that sets it: ends the sessions of the user, all but `exceptSessionId`, voids what may have been begun by
   * somebody who knew the old password (a reset, a change of the e-mail address), and asks for a mail that tells the user.
   */
  async settle(
    manager: EntityManager,
    { id: userId, email }: Pick<Account, 'id' | 'email'>,
    exceptSessionId: string | null,
  ): Promise<void> {
    await this.mailTokens.void(manager, userId, ['reset_password', 'change_email']);
    await manager.query('DELETE FROM auth.email_changes WHERE account_id = $1', [userId]);
    await this.sessions.revoke(manager, userId, exceptSessionId);
    await this.outbox.append(manager, accountMailRequested, {
      ...{ kind: 'password_changed' as const, user_id: userId, email: email.toLowerCase() },
    });
  }
}
