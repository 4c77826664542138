import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Caller } from '../../platform/context/caller.js';
import { AccountsService } from '../accounts.service.js';
import { InvalidPassword } from '../auth.errors.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { NewPasswordService } from './new-password.service.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordRulesService } from './password-rules.service.js';
import type { PasswordChangeInput } from './passwords.schemas.js';
import { ReauthenticationService } from './reauthentication.service.js';

@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly rules: PasswordRulesService,
    private readonly hasher: PasswordHasher,
    private readonly reauthentication: ReauthenticationService,
    private readonly newPasswords: NewPasswordService,
  ) {}

  /**
   * Changes the password and ends the user's other sessions.
   *
   * @throws InvalidPassword where the current one is wrong or has just been changed by somebody else
   * @throws RateLimited where too many passwords were wrong within the session
   * @throws WeakPassword
   */
  async change(caller: Caller, input: PasswordChangeInput, client: ClientInfo): Promise<void> {
    const { userId, sessionId } = caller;
    const account = await this.reauthentication.require(caller, input.current_password, client);
    await this.rules.requireFor(account, 'new_password', input.new_password);
    const newHash = await this.hasher.hash(input.new_password);
    await this.database.write(async (manager) => {
      const isChanged = await this.accounts.replacePasswordHash(
        manager,
        userId,
        account.passwordHash,
        newHash,
      );
      if (!isChanged) throw new InvalidPassword();
      await this.newPasswords.settle(manager, account, sessionId);
    });
  }
}
