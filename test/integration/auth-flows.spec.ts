import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { userScope } from '../../libs/platform/context/scope.js';
import type { Role, Tier } from '../../libs/auth/access/roles.port.js';
import { AuthConsumers } from '../../libs/auth/auth.consumers.js';
import { seedAccounts } from '../../libs/auth/auth.seeder.js';
import { FailedLoginsService } from '../../libs/auth/limits/failed-logins.service.js';
import { KnownNetworksService } from '../../libs/auth/limits/known-networks.service.js';
import { LoginMetrics } from '../../libs/auth/login/login-metrics.js';
import { LoginService } from '../../libs/auth/login/login.service.js';
import { RefreshService } from '../../libs/auth/login/refresh.service.js';
import { MailDeliveryService } from '../../libs/auth/mails/mail-delivery.service.js';
import { MailTokensService } from '../../libs/auth/mails/mail-tokens.service.js';
import { PasswordCheckService } from '../../libs/auth/passwords/password-check.service.js';
import { PasswordHasher, type Match } from '../../libs/auth/passwords/password-hasher.js';
import { PasswordRulesService } from '../../libs/auth/passwords/password-rules.service.js';
import { PasswordStrength } from '../../libs/auth/passwords/password-strength.js';
import { RegistrationService } from '../../libs/auth/registration/registration.service.js';
import { AccessTokensService } from '../../libs/auth/tokens/access-tokens.service.js';
import { ensureDevelopmentKey } from '../../libs/auth/tokens/key-files.js';
import { KeyRing } from '../../libs/auth/tokens/key-ring.js';
import { RefreshTokensService } from '../../libs/auth/tokens/refresh-tokens.service.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { FileMailer } from '../../libs/platform/mail/file-mailer.js';
import { UsersPort } from '../../libs/users/users.port.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { eventRoutes } from '../../apps/features.js';
import { newRegistration } from '../support/client.js';
import { tellConsumers } from '../support/event-consumers.js';
import { openAuthFixture, type AuthFixture } from './auth-fixture.js';

/** The users feature as auth sees it: it may run in another process, which may be down. */
class FakeUsers extends UsersPort {
  claims: { role: Role; tier: Tier } = { role: 'user', tier: 'free' };
  isAway = false;

  ensureProfile = () => this.answer(undefined);
  claimsOf = () => this.answer(this.claims);
  nameOf = () => this.answer('Ada Lovelace');
  timezoneOf = () => this.answer('UTC');

  private answer<T>(value: T): Promise<T> {
    return this.isAway ? Promise.reject(new Error('the users service is away')) : Promise.resolve(value);
  }
}

/** Runs something between the check of a password and the action that depends on it. */
class OvertakenHasher extends PasswordHasher {
  private isFirst = true;

  constructor(private readonly overtake: () => Promise<unknown>) {
    super(auth.config);
  }

  override async verify(passwordHash: string | null, password: string): Promise<Match> {
    const match = await super.verify(passwordHash, password);
    if (this.isFirst) await this.overtake();
    this.isFirst = false;
    return match;
  }
}

const loginMetrics = new LoginMetrics(new Metrics());
const client = { ip: '127.0.0.1', userAgent: null };
const platform = { PUBLIC_URL: undefined, PORT: 5000 };

let auth: AuthFixture;
let directory: string;
let accessTokens: AccessTokensService;
let hasher: PasswordHasher;
let consumers: AuthConsumers;
let users: FakeUsers;

beforeAll(async () => {
  auth = await openAuthFixture();
  directory = await mkdtemp(join(tmpdir(), 'auth-flows-'));
  await ensureDevelopmentKey(directory);
  const keys = new KeyRing({ directory, publishSeconds: 300, tokenTtlSeconds: 900 });
  await keys.reload();
  accessTokens = new AccessTokensService(keys, auth.config, platform);
  hasher = new PasswordHasher(auth.config);
  await hasher.onModuleInit();
});
beforeEach(() => {
  users = new FakeUsers();
  const mails = new MailDeliveryService(
    new MailTokensService(auth.database, auth.config),
    new FileMailer(join(directory, 'mails')),
    platform,
  );
  consumers = new AuthConsumers(auth.database, auth.accounts, auth.sessions, mails);
});
afterAll(async () => {
  await auth.close();
  await rm(directory, { recursive: true });
});

const registrations = () =>
  new RegistrationService(
    auth.database,
    new PasswordRulesService(users, hasher, new PasswordStrength()),
    hasher,
    new Outbox('auth', eventRoutes),
    users,
  );
const logins = (by = hasher) =>
  new LoginService(
    new PasswordCheckService(auth.database, auth.accounts, by),
    auth.openings,
    users,
    accessTokens,
    new FailedLoginsService(auth.path.limiter, auth.limits, new KnownNetworksService(auth.database)),
    loginMetrics,
  );
const refreshes = () =>
  new RefreshService(
    new RefreshTokensService(auth.database, auth.config),
    users,
    accessTokens,
    auth.path.limiter,
    auth.limits,
  );
const tell = (topic: string, userId: string) => tellConsumers([consumers], topic, { user_id: userId });
const eventsOf = async (email: string, userId = '') => {
  const rows = await auth.dataSource.query<{ topic: string }[]>(
    "SELECT topic FROM auth.outbox WHERE payload->>'email' = $1 OR payload->>'user_id' = $2 ORDER BY id",
    [email, userId],
  );
  return rows.map(({ topic }) => topic);
};

describe('registration', () => {
  it('succeeds while the users service is down, and stores the events that complete it', async () => {
    users.isAway = true;
    const registration = newRegistration();
    const user = await registrations().register(registration);
    await expect(auth.accounts.find(user.id)).resolves.toMatchObject({
      email: registration.email,
      emailVerified: false,
      registration: { name: registration.name, timezone: registration.timezone },
    });
    await expect(eventsOf(user.email, user.id)).resolves.toEqual(['user.registered', 'auth.mail_requested']);
  });

  it('does not reveal that the address is taken', async () => {
    const registration = newRegistration();
    const user = await registrations().register(registration);
    await expect(registrations().register(registration)).rejects.toMatchObject({ code: 'email_taken' });
    await expect(eventsOf(user.email)).resolves.toHaveLength(1);
  });
});

describe('login', () => {
  it('rehashes the password after the parameters have been raised, and works before and after', async () => {
    const registration = newRegistration();
    const { id } = await registrations().register(registration);
    const raised = new PasswordHasher({ ...auth.config, ARGON2_PASSES: 3 });
    await raised.onModuleInit();
    await logins(raised).login(registration, client);
    await expect(auth.accounts.findPasswordHash(id)).resolves.toContain('m=19456,t=3,p=1');
    await logins(raised).login(registration, client);
    await logins().login(registration, client);
    await expect(auth.accounts.findPasswordHash(id)).resolves.toContain('m=19456,t=3,p=1');
  });

  it('succeeds for ten logins at once after the parameters have been raised', async () => {
    const registration = newRegistration();
    await registrations().register(registration);
    const raised = new PasswordHasher({ ...auth.config, ARGON2_PASSES: 3 });
    await raised.onModuleInit();
    const tokens = await Promise.all(
      Array.from({ length: 10 }, () => logins(raised).login(registration, client)),
    );
    expect(new Set(tokens.map(({ refresh_token }) => refresh_token)).size).toBe(10);
  });

  it('works while a process with raised parameters replaces the hash', async () => {
    const registration = newRegistration();
    await registrations().register(registration);
    const raised = new PasswordHasher({ ...auth.config, ARGON2_PASSES: 3 });
    await raised.onModuleInit();
    const overtaken = new OvertakenHasher(() => logins(raised).login(registration, client));
    await expect(logins(overtaken).login(registration, client)).resolves.toBeDefined();
  });

  it('is refused if the password is changed in the meantime', async () => {
    const registration = newRegistration();
    const { id } = await registrations().register(registration);
    const from = (await auth.accounts.findPasswordHash(id)) ?? '';
    const to = await hasher.hash('another password');
    const change = () =>
      auth.database.write((manager) => auth.accounts.replacePasswordHash(manager, id, from, to), {
        scopes: [userScope(id)],
      });
    const login = logins(new OvertakenHasher(change)).login(registration, client);
    await expect(login).rejects.toMatchObject({ code: 'invalid_credentials' });
  });
});

describe('refresh', () => {
  it('reads role and tier again, and keeps the time of the login', async () => {
    const registration = newRegistration();
    await registrations().register(registration);
    const login = await logins().login(registration, client);
    users.claims = { role: 'admin', tier: 'premium' };
    const refreshed = await refreshes().refresh(login.refresh_token, client);
    const [before, after] = [login, refreshed].map((tokens) =>
      jwt.decode(tokens.access_token, { json: true }),
    );
    expect(before).toMatchObject({ role: 'user', tier: 'free' });
    expect(after).toMatchObject({
      role: 'admin',
      tier: 'premium',
      auth_time: before?.['auth_time'],
      sid: before?.['sid'],
    });
  });

  it('leaves the refresh token valid while the users service is down', async () => {
    const registration = newRegistration();
    await registrations().register(registration);
    const { refresh_token } = await logins().login(registration, client);
    users.isAway = true;
    await expect(refreshes().refresh(refresh_token, client)).rejects.toThrow('away');
    users.isAway = false;
    await expect(refreshes().refresh(refresh_token, client)).resolves.toMatchObject({ token_type: 'Bearer' });
  });
});

describe('events that auth consumes', () => {
  it('end the sessions of a user whose role or tier has changed', async () => {
    const session = await auth.logIn(await auth.addAccount());
    await tell('user.claims_changed', session.userId);
    await expect(auth.sessions.findEnd(session.sessionId, session.userId)).resolves.toEqual({ value: null });
  });

  it('delete everything of a deleted user, also when delivered twice', async () => {
    const account = await auth.addAccount();
    const session = await auth.logIn(account);
    const request = { email: account.email, purpose: 'verify_email' };
    await tellConsumers([consumers], 'auth.mail_requested', request);
    await tell('user.deleted', account.id);
    await tell('user.deleted', account.id);
    const [left] = await auth.dataSource.query<object[]>(
      `SELECT (SELECT count(*)::int FROM auth.accounts WHERE id = $1) AS accounts,
              (SELECT count(*)::int FROM auth.sessions WHERE user_id = $1) AS sessions,
              (SELECT count(*)::int FROM auth.mail_tokens WHERE account_id = $1) AS mail_tokens`,
      [account.id],
    );
    expect(left).toEqual({ accounts: 0, sessions: 0, mail_tokens: 0 });
    await expect(auth.sessions.findEnd(session.sessionId, account.id)).resolves.toEqual({ value: null });
  });
});

describe('deleting an account', () => {
  it('removes its waiting and set-aside events, and keeps those of others', async () => {
    const [gone, other] = [newRegistration(), newRegistration()];
    const [{ id }, { id: otherId }] = [
      await registrations().register(gone),
      await registrations().register(other),
    ];
    await auth.dataSource.query("UPDATE auth.outbox SET failed_at = now() WHERE payload->>'email' = $1", [
      gone.email,
    ]);
    await auth.accounts.delete(id);
    await expect(eventsOf(gone.email, id)).resolves.toEqual([]);
    await expect(eventsOf(other.email, otherId)).resolves.toHaveLength(2);
  });

  it('removes its address from the inbox, and keeps the row so that the event is not stored again', async () => {
    const [gone, other] = [await auth.addAccount(), await auth.addAccount()];
    const failed = "failed_at = now(), available_at = 'infinity'";
    for (const { email } of [gone, other])
      await auth.dataSource.query(
        `INSERT INTO auth.inbox (consumer, event_id, topic, payload, occurred_at)
         SELECT 'auth.send-mail', gen_random_uuid(), 'auth.mail_requested', $1, now() FROM generate_series(1, 2)`,
        [{ email: email.toLowerCase(), purpose: 'verify_email' }],
      );
    await auth.dataSource.query(
      `INSERT INTO auth.inbox (consumer, event_id, topic, payload, occurred_at)
       VALUES ('auth.send-account-mail', gen_random_uuid(), 'auth.account_mail_requested', $1, now())`,
      [{ kind: 'email_changed', user_id: gone.id, email: 'former@example.com' }],
    );
    await auth.dataSource.query(
      `UPDATE auth.inbox SET ${failed} WHERE event_id IN (SELECT min(event_id::text)::uuid FROM auth.inbox)`,
    );
    await auth.accounts.delete(gone.id);
    const rows = await auth.dataSource.query<{ email: string; rows: number; done: number }[]>(
      `SELECT payload->>'email' AS email, count(*)::int AS rows, count(done_at)::int AS done FROM auth.inbox
       GROUP BY 1 ORDER BY 1`,
    );
    expect(rows).toEqual([
      { email: other.email.toLowerCase(), rows: 2, done: 0 },
      { email: null, rows: 3, done: 3 },
    ]);
  });
});

describe('seeding', () => {
  it('creates accounts that can log in, each only once', async () => {
    const seed = async (count: number) => {
      const context = {
        database: auth.database,
        config: auth.config,
        count,
        userIds: [] as readonly string[],
      };
      await seedAccounts(context);
      return context.userIds;
    };
    const first = await seed(1500);
    const second = await seed(1501);
    expect(new Set(second).size).toBe(1501);
    expect(second.slice(0, 1500)).toEqual(first);
    const user = { email: 'user1500@example.com', password: 'correct horse battery' };
    await expect(logins().login(user, client)).resolves.toMatchObject({ token_type: 'Bearer' });
  });
});
