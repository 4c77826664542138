import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Outbox } from '../../platform/events/outbox.js';
import { mailRequested, type MailPurpose } from './mail.events.js';

@Injectable()
export class MailRequestsService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /** Notes the wish and returns: neither answer nor time tells whether the address has an account. */
  async request(email: string, purpose: MailPurpose): Promise<void> {
    await this.database.write((manager) => this.outbox.append(manager, mailRequested, { email, purpose }), {
      users: [],
    });
  }
}
