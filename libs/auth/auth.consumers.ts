import { Injectable } from '@nestjs/common';
import { userScope } from '../platform/context/scope.js';
import { Database } from '../platform/database/database.js';
import type { EventMeta } from '../platform/events/event.js';
import { OnEvent, type EventPayload } from '../platform/events/on-event.js';
import { userClaimsChanged, userDeleted } from '../users/users.events.js';
import { AccountsService } from './accounts.service.js';
import { MailDeliveryService } from './mails/mail-delivery.service.js';
import { accountMailRequested, mailRequested } from './mails/mail.events.js';
import { SessionsService } from './sessions/sessions.service.js';

/** The events that auth consumes. */
@Injectable()
export class AuthConsumers {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsService,
    private readonly mails: MailDeliveryService,
  ) {}

  @OnEvent(userDeleted, 'delete-account')
  async deleteAccount({ user_id }: EventPayload<typeof userDeleted>, meta: EventMeta): Promise<void> {
    await this.database.write(
      async (manager) => {
        await meta.consume(manager);
        await this.accounts.deleteIn(manager, user_id);
      },
      { scopes: [userScope(user_id)] },
    );
  }

  /** Tokens that claim the old role or tier must not be accepted any longer. */
  @OnEvent(userClaimsChanged, 'end-sessions')
  async endSessions({ user_id }: EventPayload<typeof userClaimsChanged>, meta: EventMeta): Promise<void> {
    await this.database.write(
      async (manager) => {
        await meta.consume(manager);
        await this.sessions.revoke(manager, user_id);
      },
      { scopes: [userScope(user_id)] },
    );
  }

  /** At least once: whether a mail server that does not answer has taken the mail is not known. */
  @OnEvent(mailRequested, 'send-mail')
  async sendMail(mail: EventPayload<typeof mailRequested>, meta: EventMeta): Promise<void> {
    await this.mails.deliver({ mail, eventId: meta.id, occurredAt: meta.occurredAt });
  }

  /** At least once, too. */
  @OnEvent(accountMailRequested, 'send-account-mail')
  async sendAccountMail(mail: EventPayload<typeof accountMailRequested>, meta: EventMeta): Promise<void> {
    await this.mails.deliver({ mail, eventId: meta.id, occurredAt: meta.occurredAt });
  }
}
