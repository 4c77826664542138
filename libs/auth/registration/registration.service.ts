import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { userScope } from '../../platform/context/scope.js';
import { Database } from '../../platform/database/database.js';
import { violatedUnique } from '../../platform/postgres/postgres-errors.js';
import { uuidv7 } from '../../platform/ids/uuid.js';
import { Outbox } from '../../platform/events/outbox.js';
import { logger } from '../../platform/logging/logger.js';
import { UsersPort } from '../../users/users.port.js';
import { userRegistered } from '../auth.events.js';
import { EmailTaken } from '../auth.errors.js';
import type { AccountEntity } from '../account.entity.js';
import { mailRequested } from '../mails/mail.events.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordRulesService } from '../passwords/password-rules.service.js';
import type { RegisteredUser, RegistrationInput } from './registration.schemas.js';

@Injectable()
export class RegistrationService {
  constructor(
    private readonly database: Database,
    private readonly rules: PasswordRulesService,
    private readonly hasher: PasswordHasher,
    private readonly outbox: Outbox,
    private readonly users: UsersPort,
  ) {}

  /** @throws EmailTaken, WeakPassword, ServiceUnavailable where too many passwords wait */
  async register(input: RegistrationInput): Promise<RegisteredUser> {
    this.rules.require('password', input.password, { email: input.email, names: [input.name] });
    // Before the transaction: a connection is not held while passwords queue up.
    const account = newAccount(input, await this.hasher.hash(input.password));
    const createdAt = await this.store(account);
    await this.makeProfile(account);
    return {
      id: account.id,
      email: account.email,
      email_verified: false,
      name: input.name,
      timezone: input.timezone,
      created_at: createdAt,
    };
  }

  /** Returns when the account was created. @throws EmailTaken */
  private async store(account: NewAccount): Promise<Date> {
    const { id, email, registrationName: name, registrationTimezone: timezone } = account;
    const store = async (manager: EntityManager) => {
      const createdAt = await insert(manager, account);
      await this.outbox.append(manager, userRegistered, { user_id: id, name, timezone });
      await this.outbox.append(manager, mailRequested, { email, purpose: 'verify_email' });
      return createdAt;
    };
    try {
      return await this.database.write(store, { scopes: [userScope(id)] });
    } catch (error) {
      if (violatedUnique(error) === 'uq_accounts_email') throw new EmailTaken(error);
      throw error;
    }
  }

  /** The account stands; a profile that can't be made now is made by the event, or by the user's first look at it. */
  private async makeProfile({ id, registrationName, registrationTimezone }: NewAccount): Promise<void> {
    try {
      await this.users.ensureProfile({ id, name: registrationName, timezone: registrationTimezone });
    } catch (error) {
      logger.warn({ err: error, user_id: id }, 'the profile of a new account will be made later');
    }
  }
}

/** An account that is not stored yet: the database says when it was created. */
type NewAccount = Omit<AccountEntity, 'createdAt' | 'emailVerifiedAt'>;

function newAccount(input: RegistrationInput, passwordHash: string): NewAccount {
  return {
    id: uuidv7(),
    email: input.email,
    passwordHash,
    registrationName: input.name,
    registrationTimezone: input.timezone,
  };
}

async function insert(manager: EntityManager, account: NewAccount): Promise<Date> {
  const { id, email, passwordHash, registrationName, registrationTimezone } = account;
  const [row] = await manager.query<{ created_at: Date }[]>(
    `INSERT INTO auth.accounts (id, email, password_hash, registration_name, registration_timezone)
     VALUES ($1, $2, $3, $4, $5) RETURNING created_at`,
    [id, email, passwordHash, registrationName, registrationTimezone],
  );
  if (row === undefined) throw new Error('An INSERT that returned no row');
  return row.created_at;
}
