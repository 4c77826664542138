import { Injectable } from '@nestjs/common';
import type { Caller } from '../../platform/context/caller.js';
import type { Account } from '../accounts.port.js';
import { AccountsService } from '../accounts.service.js';
import { InvalidPassword } from '../auth.errors.js';
import { FailedLoginsService } from '../limits/failed-logins.service.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { PasswordHasher } from './password-hasher.js';

/** An account whose password was given. */
export interface ProvedAccount extends Account {
  /** The hash that it was proved by: of a change meanwhile another one tells. */
  readonly passwordHash: string;
}

/** Asks for the password again within a session, where a stolen token must not be enough. */
@Injectable()
export class ReauthenticationService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly hasher: PasswordHasher,
    private readonly failures: FailedLoginsService,
  ) {}

  /**
   * Counts as a login.
   *
   * @throws InvalidPassword, RateLimited where too many passwords were wrong within the session
   */
  async require({ userId, sessionId }: Caller, password: string, client: ClientInfo): Promise<ProvedAccount> {
    const account = await this.accounts.find(userId);
    if (account === null) throw new InvalidPassword();
    const email = account.email.toLowerCase();
    return this.failures.counting({ email, client, sessionId }, async () => {
      const passwordHash = await this.accounts.findPasswordHash(userId);
      const match = await this.hasher.verify(passwordHash, password);
      if (passwordHash === null || match === 'wrong') throw new InvalidPassword();
      return { ...account, passwordHash };
    });
  }
}
