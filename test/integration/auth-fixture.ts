import type { DataSource } from 'typeorm';
import { AccountEntity } from '../../libs/auth/account.entity.js';
import { AccountsService, type Credentials } from '../../libs/auth/accounts.service.js';
import { eventRoutes } from '../../apps/features.js';
import { authVariables, type AuthConfig } from '../../libs/auth/auth.config.js';
import { authFeature } from '../../libs/auth/auth.feature.js';
import { auth } from '../../libs/auth/auth.port.js';
import { AuthRateLimits } from '../../libs/auth/limits/auth-rate-limits.js';
import {
  SessionOpeningService,
  type SessionGrant,
} from '../../libs/auth/sessions/session-opening.service.js';
import { SessionsService } from '../../libs/auth/sessions/sessions.service.js';
import { newSecretToken, type SecretToken } from '../../libs/auth/tokens/secret-token.js';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import type { DataPath } from '../../libs/platform/data-path.js';
import type { Database } from '../../libs/platform/database/database.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { persistenceOf } from '../../libs/platform/features/persistence-of.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { openTestDataPath } from '../support/test-data-path.js';

/** The tables of the auth feature in a separate database, and the services that need no other feature. */
export interface AuthFixture {
  readonly config: AuthConfig;
  readonly dataSource: DataSource;
  readonly path: DataPath;
  readonly database: Database;
  readonly accounts: AccountsService;
  readonly sessions: SessionsService;
  readonly openings: SessionOpeningService;
  readonly limits: AuthRateLimits;
  /** Creates an account with an invented hash, without computing one. */
  addAccount(email?: string): Promise<Credentials & { readonly email: string }>;
  /** Creates a session with its first refresh token. */
  logIn(credentials: Credentials): Promise<SessionGrant & { readonly refreshToken: SecretToken }>;
  close(): Promise<void>;
}

export async function openAuthFixture(): Promise<AuthFixture> {
  logger.level = 'silent';
  const { path, dataSource, close } = await openTestDataPath('auth', persistenceOf([authFeature]), {
    DATABASE_POOL_SIZE: '20',
  });
  const config = parseEnvironment({}, authVariables);
  const database = path.databases.forFeature(auth);
  const sessions = new SessionsService(database);
  const openings = new SessionOpeningService(database, new Outbox('auth', eventRoutes), config);
  const addAccount = async (email = `${uuidv7()}@example.com`) => {
    const passwordHash = `hash of ${email}`;
    const registration = { registrationName: 'Ada', registrationTimezone: 'UTC' };
    const account = {
      id: uuidv7(),
      email,
      passwordHash,
      emailVerifiedAt: null,
      createdAt: new Date(),
      ...registration,
    };
    await dataSource.manager.insert(AccountEntity, account);
    return { id: account.id, email, passwordHash };
  };
  const logIn = async (credentials: Credentials) => {
    const refreshToken = newSecretToken();
    const grant = await openings.open(credentials, refreshToken.hash, { ip: '127.0.0.1', userAgent: null });
    if (grant === null) throw new Error('The session was refused.');
    return { ...grant, refreshToken };
  };
  const accounts = new AccountsService(database);
  const limits = new AuthRateLimits(config);
  return {
    config,
    dataSource,
    path,
    database,
    accounts,
    sessions,
    openings,
    limits,
    addAccount,
    logIn,
    close,
  };
}
