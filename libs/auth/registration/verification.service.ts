import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { InvalidMailToken } from '../auth.errors.js';
import { MailTokens } from '../mails/mail-tokens.service.js';
import { hashToken } from '../tokens/secret-token.js';

@Injectable()
export class VerificationService {
  constructor(
    private readonly database: Database,
    private readonly mailTokens: MailTokens,
  ) {}

  /**
   * Marks the address of the token's account as verified.
   *
   * @throws InvalidMailToken
   */
  async verify(token: string): Promise<void> {
    const userId = await this.database.write(async (manager) => {
      const accountId = await this.mailTokens.consume(manager, hashToken(token), 'verify_email');
      await manager.query(
        'UPDATE auth.accounts SET email_verified_at = now() WHERE id = $1 AND email_verified_at IS NULL',
        [accountId],
      );
      return accountId;
    });
    if (userId === null) throw new InvalidMailToken();
  }
}
