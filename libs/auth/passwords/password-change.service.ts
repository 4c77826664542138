import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Caller } from '../../platform/context/caller.js';
import { AccountsService } from '../accounts.service.js';
import { InvalidPassword } from '../auth.errors.js';
import { FailedLoginsService } from '../limits/failed-logins.service.js';
import { MailTokensService } from '../mails/mail-tokens.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { PasswordHasher } from './password-hasher.js';
import type { PasswordChangeInput } from './passwords.schemas.js';

@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly hasher: PasswordHasher,
    private readonly mailTokens: MailTokensService,
    private readonly sessions: SessionsService,
    private readonly failures: FailedLoginsService,
  ) {}

  /**
   * Changes the password, ends the user's other sessions and voids mailed tokens that would reset it.
   *
   * @throws InvalidPassword where the current one is wrong or has just been changed by somebody else
   * @throws RateLimited where too many passwords of the account were wrong, here or at logins
   */
  async change(caller: Caller, input: PasswordChangeInput): Promise<void> {
    const account = await this.accounts.find(caller.userId);
    if (account === null) throw new InvalidPassword();
    await this.failures.counting(account.email.toLowerCase(), () => this.attempt(caller, input));
  }

  private async attempt({ userId, sessionId }: Caller, input: PasswordChangeInput): Promise<void> {
    const currentHash = await this.accounts.findPasswordHash(userId);
    const isMatch = await this.hasher.verify(currentHash, input.current_password);
    if (currentHash === null || !isMatch) throw new InvalidPassword();
    const newHash = await this.hasher.hash(input.new_password);
    await this.database.write(async (manager) => {
      const isChanged = await this.accounts.replacePasswordHash(manager, userId, currentHash, newHash);
      if (!isChanged) throw new InvalidPassword();
      await this.mailTokens.void(manager, userId, 'reset_password');
      await this.sessions.revoke(manager, userId, sessionId);
    });
  }
}
