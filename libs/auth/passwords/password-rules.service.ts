import { Injectable } from '@nestjs/common';
import { UsersPort } from '../../users/users.port.js';
import type { Account } from '../accounts.port.js';
import { WeakPassword } from '../auth.errors.js';
import { PasswordHasher } from './password-hasher.js';
import { PasswordStrength, type OwnWords } from './password-strength.js';

/** Which passwords may be new ones. */
@Injectable()
export class PasswordRulesService {
  constructor(
    private readonly users: UsersPort,
    private readonly hasher: PasswordHasher,
    private readonly strength: PasswordStrength,
  ) {}

  /**
   * @throws WeakPassword for `field` of the body
   * @throws ServiceUnavailable where it could not be hashed now: then it is not judged, either
   */
  require(field: string, password: string, own: OwnWords): void {
    this.hasher.requireRoom();
    if (this.strength.isWeak(password, own)) throw new WeakPassword(field);
  }

  /** The same for one who is registered. */
  async requireFor(account: Account, field: string, password: string): Promise<void> {
    const name = await this.users.nameOf(account.id);
    const names = name === null ? [account.registration.name] : [account.registration.name, name];
    this.require(field, password, { email: account.email, names });
  }
}
