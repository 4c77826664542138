import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '../../platform/config/config.token.js';
import { publicUrlOf, type PublicUrlConfig } from '../../platform/config/public-url.js';
import { Mailer } from '../../platform/mail/mailer.port.js';
import type { MailRequest } from './mail-recipient.js';
import { composeMail } from './mail-texts.js';
import { MailTokensService } from './mail-tokens.service.js';

@Injectable()
export class MailDeliveryService {
  constructor(
    private readonly mailTokens: MailTokensService,
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: PublicUrlConfig,
  ) {}

  /** Sends the mail that an event asks for. An event that comes again sends it again only if it had not been sent. */
  async deliver(request: MailRequest): Promise<void> {
    const due = await this.mailTokens.issue(request);
    if (due === null) return;
    const { eventId } = request;
    await this.mailer.send({ ...composeMail(request, due, publicUrlOf(this.config)), eventId });
    await this.mailTokens.markSent(eventId);
  }
}
