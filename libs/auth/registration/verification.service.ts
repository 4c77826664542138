import { Injectable } from '@nestjs/common';
import { userScope } from '../../platform/context/scope.js';
import { Database } from '../../platform/database/database.js';
import { timeAfter } from '../../platform/database/stored-times.js';
import { InvalidMailToken } from '../auth.errors.js';
import { MailTokensService } from '../mails/mail-tokens.service.js';
import { hashToken } from '../tokens/secret-token.js';

@Injectable()
export class VerificationService {
  constructor(
    private readonly database: Database,
    private readonly mailTokens: MailTokensService,
  ) {}

  /**
   * Marks the address of the token's account as verified.
   *
   * @throws InvalidMailToken
   */
  async verify(token: string): Promise<void> {
    const tokenHash = hashToken(token);
    const userId = await this.mailTokens.findAccount(tokenHash, 'verify_email');
    if (userId === null) throw new InvalidMailToken();
    const isVerified = await this.database.write(
      async (manager) => {
        if ((await this.mailTokens.consume(manager, tokenHash, 'verify_email')) === null) return false;
        await manager.query(
          `UPDATE auth.accounts SET email_verified_at = ${timeAfter('created_at')}
           WHERE id = $1 AND email_verified_at IS NULL`,
          [userId],
        );
        return true;
      },
      { scopes: [userScope(userId)] },
    );
    if (!isVerified) throw new InvalidMailToken();
  }
}
