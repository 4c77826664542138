import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Outbox } from '../../platform/events/outbox.js';
import { mailRequested, type AddressMail } from './mail.events.js';

@Injectable()
export class MailRequestsService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /** Publishes the request and returns: neither answer nor duration reveals whether the address has an account. */
  async request(email: string, purpose: AddressMail['purpose']): Promise<void> {
    await this.database.write((manager) => this.outbox.append(manager, mailRequested, { email, purpose }), {
      scopes: [],
    });
  }
}
