import { Injectable } from '@nestjs/common';
import { userScope } from '../../platform/context/scope.js';
import { Database } from '../../platform/database/database.js';
import { AccountEntity } from '../account.entity.js';
import { AccountsService } from '../accounts.service.js';
import { InvalidMailToken } from '../auth.errors.js';
import { MailTokensService } from '../mails/mail-tokens.service.js';
import { networkOf } from '../../platform/throttling/network.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { hashToken } from '../tokens/secret-token.js';
import { NewPasswordService } from './new-password.service.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordRulesService } from './password-rules.service.js';
import type { PasswordResetInput } from './passwords.schemas.js';

@Injectable()
export class PasswordResetService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly rules: PasswordRulesService,
    private readonly hasher: PasswordHasher,
    private readonly mailTokens: MailTokensService,
    private readonly newPasswords: NewPasswordService,
  ) {}

  /**
   * Sets a new password by a mailed token and ends all sessions.
   *
   * @throws InvalidMailToken, WeakPassword, which leaves the token valid
   */
  async reset({ token, password }: PasswordResetInput, { ip }: ClientInfo): Promise<void> {
    const tokenHash = hashToken(token);
    // A made-up token must not cost a password hash; whether it is good is decided below.
    const userId = await this.mailTokens.findAccount(tokenHash, 'reset_password');
    const account = userId === null ? null : await this.accounts.find(userId);
    if (account === null) throw new InvalidMailToken();
    await this.rules.requireFor(account, 'password', password);
    const passwordHash = await this.hasher.hash(password);
    const { id } = account;
    const isReset = await this.database.write(
      async (manager) => {
        const consumed = await this.mailTokens.consume(manager, tokenHash, 'reset_password', networkOf(ip));
        if (consumed === null) return false;
        await manager.update(AccountEntity, { id }, { passwordHash });
        await this.newPasswords.settle(manager, account, null);
        return true;
      },
      { scopes: [userScope(id)] },
    );
    if (!isReset) throw new InvalidMailToken();
  }
}
