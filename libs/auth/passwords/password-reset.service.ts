import { Injectable } from '@nestjs/common';
import { userScope } from '../../platform/context/scope.js';
import { Database } from '../../platform/database/database.js';
import { AccountEntity } from '../account.entity.js';
import { InvalidMailToken } from '../auth.errors.js';
import { MailTokensService } from '../mails/mail-tokens.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { hashToken } from '../tokens/secret-token.js';
import { PasswordHasher } from './password-hasher.js';
import type { PasswordResetInput } from './passwords.schemas.js';

@Injectable()
export class PasswordResetService {
  constructor(
    private readonly database: Database,
    private readonly hasher: PasswordHasher,
    private readonly mailTokens: MailTokensService,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * Sets a new password by a mailed token, ends all sessions and voids the other tokens.
   *
   * @throws InvalidMailToken
   */
  async reset({ token, password }: PasswordResetInput): Promise<void> {
    const tokenHash = hashToken(token);
    // A made-up token must not cost a password hash; whether it is good is decided below.
    const userId = await this.mailTokens.findAccount(tokenHash, 'reset_password');
    if (userId === null) throw new InvalidMailToken();
    const passwordHash = await this.hasher.hash(password);
    const isReset = await this.database.write(
      async (manager) => {
        if ((await this.mailTokens.consume(manager, tokenHash, 'reset_password')) === null) return false;
        await manager.update(AccountEntity, { id: userId }, { passwordHash });
        await this.mailTokens.void(manager, userId, 'reset_password');
        await this.sessions.revoke(manager, userId);
        return true;
      },
      { scopes: [userScope(userId)] },
    );
    if (!isReset) throw new InvalidMailToken();
  }
}
