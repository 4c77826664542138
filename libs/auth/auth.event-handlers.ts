import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EventBus } from '../platform/events/event-bus.js';
import { userClaimsChanged, userDeleted } from '../users/users.events.js';
import { AccountsService } from './accounts.service.js';
import { MailDeliveryService } from './mails/mail-delivery.service.js';
import { mailRequested } from './mails/mail.events.js';
import { SessionsService } from './sessions/sessions.service.js';

/** What auth does when it hears of something. Each handler may be told twice. */
@Injectable()
export class AuthEventHandlers implements OnModuleInit {
  constructor(
    private readonly bus: EventBus,
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsService,
    private readonly mails: MailDeliveryService,
  ) {}

  onModuleInit(): void {
    this.bus.subscribe(userDeleted, ({ user_id }) => this.accounts.delete(user_id));
    this.bus.subscribe(userClaimsChanged, ({ user_id }) => this.sessions.revokeAll(user_id));
    this.bus.subscribe(mailRequested, (request, { id }) => this.mails.deliver({ ...request, eventId: id }));
  }
}
