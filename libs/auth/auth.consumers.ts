import { Injectable } from '@nestjs/common';
import type { EventMeta } from '../platform/events/event.js';
import { OnEvent, type EventPayload } from '../platform/events/on-event.js';
import { userClaimsChanged, userDeleted } from '../users/users.events.js';
import { AccountsService } from './accounts.service.js';
import { MailDeliveryService } from './mails/mail-delivery.service.js';
import { mailRequested } from './mails/mail.events.js';
import { SessionsService } from './sessions/sessions.service.js';

/** The events that auth consumes. */
@Injectable()
export class AuthConsumers {
  constructor(
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsService,
    private readonly mails: MailDeliveryService,
  ) {}

  @OnEvent(userDeleted)
  async deleteAccount({ user_id }: EventPayload<typeof userDeleted>): Promise<void> {
    await this.accounts.delete(user_id);
  }

  /** Tokens that claim the old role or tier must not be accepted any longer. */
  @OnEvent(userClaimsChanged)
  async endSessions({ user_id }: EventPayload<typeof userClaimsChanged>): Promise<void> {
    await this.sessions.revokeAll(user_id);
  }

  @OnEvent(mailRequested)
  async deliverMail(request: EventPayload<typeof mailRequested>, { id }: EventMeta): Promise<void> {
    await this.mails.deliver({ ...request, eventId: id });
  }
}
