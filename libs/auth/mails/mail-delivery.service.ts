import { CONFIG } from '../../platform/config/config.token.js';
import { publicUrlOf, type PublicUrlConfig } from '../../platform/config/public-url.js';
import { Inject, Injectable } from '@nestjs/common';
import { Mailer } from '../../platform/mail/mailer.port.js';
import { composeMail } from './mail-texts.js';
import { MailTokensService, type MailRequest } from './mail-tokens.service.js';

@Injectable()
export class MailDeliveryService {
  constructor(
    private readonly mailTokens: MailTokensService,
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: PublicUrlConfig,
  ) {}

  /** Sends the mail that an event asks for. An event that comes again sends it again only if it had not been sent. */
  async deliver(request: MailRequest): Promise<void> {
    const token = await this.mailTokens.issue(request);
    if (token === null) return;
    const { purpose, email, eventId } = request;
    await this.mailer.send({ ...composeMail(purpose, email, token, publicUrlOf(this.config)), eventId });
    await this.mailTokens.markSent(eventId);
  }
}
