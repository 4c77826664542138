import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { violatedUnique } from '../../platform/postgres/postgres-errors.js';
import { uuidv7 } from '../../platform/ids/uuid.js';
import { Outbox } from '../../platform/events/outbox.js';
import { logger } from '../../platform/logging/logger.js';
import { UsersPort } from '../../users/users.port.js';
import { userRegistered } from '../auth.events.js';
import { EmailTaken } from '../auth.errors.js';
import { AccountEntity } from '../account.entity.js';
import { mailRequested } from '../mails/mail.events.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { RegisteredUser, RegistrationInput } from './registration.schemas.js';

@Injectable()
export class RegistrationService {
  constructor(
    private readonly database: Database,
    private readonly hasher: PasswordHasher,
    private readonly outbox: Outbox,
    private readonly users: UsersPort,
  ) {}

  /** @throws EmailTaken */
  async register(input: RegistrationInput): Promise<RegisteredUser> {
    // Before the transaction: a connection is not held while passwords queue up.
    const account = newAccount(input, await this.hasher.hash(input.password));
    try {
      await this.store(account);
    } catch (error) {
      if (violatedUnique(error) === 'uq_accounts_email') throw new EmailTaken(error);
      throw error;
    }
    await this.makeProfile(account);
    const { id, email, createdAt } = account;
    return {
      id,
      email,
      email_verified: false,
      name: input.name,
      timezone: input.timezone,
      created_at: createdAt,
    };
  }

  private async store(account: AccountEntity): Promise<void> {
    const { id, email, registrationName: name, registrationTimezone: timezone } = account;
    const store = async (manager: EntityManager) => {
      await manager.insert(AccountEntity, account);
      await this.outbox.append(manager, userRegistered, { user_id: id, name, timezone });
      await this.outbox.append(manager, mailRequested, { email, purpose: 'verify_email' });
    };
    await this.database.write(store, { users: [id] });
  }

  /** The account stands; a profile that can't be made now is made by the event, or by the user's first look at it. */
  private async makeProfile({ id, registrationName, registrationTimezone }: AccountEntity): Promise<void> {
    try {
      await this.users.ensureProfile({ id, name: registrationName, timezone: registrationTimezone });
    } catch (error) {
      logger.warn({ err: error, user_id: id }, 'the profile of a new account will be made later');
    }
  }
}

function newAccount(input: RegistrationInput, passwordHash: string): AccountEntity {
  return Object.assign(new AccountEntity(), {
    id: uuidv7(),
    email: input.email,
    emailVerifiedAt: null,
    passwordHash,
    registrationName: input.name,
    registrationTimezone: input.timezone,
    createdAt: new Date(),
  });
}
