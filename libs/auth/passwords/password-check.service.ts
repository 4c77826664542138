import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { AccountsService, type Credentials } from '../accounts.service.js';
import { PasswordHasher } from './password-hasher.js';

/** The account with that e-mail and password. */
@Injectable()
export class PasswordCheckService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly hasher: PasswordHasher,
  ) {}

  /** @throws ServiceUnavailable where as many passwords wait as may: in a storm of logins most are refused, at little cost */
  requireRoom(): void {
    this.hasher.requireRoom();
  }

  /**
   * Null for an unknown e-mail and for a wrong password, after the same work: one query and one
   * hash (load/login-timing.ts measures it). A hash that is outdated
   * is replaced on the way; where another login was faster it is returned as it was, and nothing can be opened
   * with it.
   */
  async findAccount(email: string, password: string): Promise<Credentials | null> {
    const credentials = await this.hasher.holdingPlace(() => this.accounts.findCredentials(email));
    const match = await this.hasher.verify(credentials?.passwordHash ?? null, password);
    if (credentials === null || match === 'wrong') return null;
    return match === 'outdated' ? this.rehash(credentials, password) : credentials;
  }

  private async rehash(outdated: Credentials, password: string): Promise<Credentials> {
    const { id } = outdated;
    const passwordHash = await this.hasher.hash(password);
    // The same password, hashed again: no user sees a difference.
    const isReplaced = await this.database.write(
      (manager) => this.accounts.replacePasswordHash(manager, id, outdated.passwordHash, passwordHash),
      { scopes: [] },
    );
    return isReplaced ? { id, passwordHash } : outdated;
  }
}
