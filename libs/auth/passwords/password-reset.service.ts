import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { AccountEntity } from '../account.entity.js';
import { InvalidMailToken } from '../auth.errors.js';
import { MailTokens } from '../mails/mail-tokens.service.js';
import { Sessions } from '../sessions/sessions.service.js';
import { hashToken } from '../tokens/secret-token.js';
import { PasswordHasher } from './password-hasher.js';
import type { PasswordResetInput } from './passwords.schemas.js';

@Injectable()
export class PasswordResetService {
  constructor(
    private readonly database: Database,
    private readonly hasher: PasswordHasher,
    private readonly mailTokens: MailTokens,
    private readonly sessions: Sessions,
  ) {}

  /**
   * Sets a new password by a mailed token, ends all sessions and voids the other tokens.
   *
   * @throws InvalidMailToken
   */
  async reset({ token, password }: PasswordResetInput): Promise<void> {
    const tokenHash = hashToken(token);
    // A made-up token must not cost a password hash; whether it is good is decided below.
    if (!(await this.mailTokens.isUsable(tokenHash, 'reset_password'))) throw new InvalidMailToken();
    const passwordHash = await this.hasher.hash(password);
    const accountId = await this.database.write(async (manager) => {
      const id = await this.mailTokens.consume(manager, tokenHash, 'reset_password');
      if (id === null) return null;
      await manager.update(AccountEntity, { id }, { passwordHash });
      await this.mailTokens.void(manager, id, 'reset_password');
      await this.sessions.revoke(manager, id);
      return id;
    });
    if (accountId === null) throw new InvalidMailToken();
  }
}
