import { userScope } from '../../libs/platform/context/scope.js';
import type { AddressMail } from '../../libs/auth/mails/mail.events.js';
import { MailTokensService } from '../../libs/auth/mails/mail-tokens.service.js';
import { VerificationService } from '../../libs/auth/registration/verification.service.js';
import { RefreshTokensService } from '../../libs/auth/tokens/refresh-tokens.service.js';
import { newSecretToken } from '../../libs/auth/tokens/secret-token.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { openAuthFixture, type AuthFixture } from './auth-fixture.js';

let auth: AuthFixture;
let tokens: RefreshTokensService;
let mails: MailTokensService;

beforeAll(async () => {
  auth = await openAuthFixture();
  tokens = new RefreshTokensService(auth.database, auth.config);
  mails = new MailTokensService(auth.database, auth.config);
});
afterAll(() => auth.close());

const beginSession = async () => auth.logIn(await auth.addAccount());

/** Rows for which the condition holds. */
const count = async (table: string, condition: string, id: string): Promise<number> => {
  const [row] = await auth.dataSource.query<{ n: number }[]>(
    `SELECT count(*)::int AS n FROM auth.${table} WHERE ${condition}`,
    [id],
  );
  return row?.n ?? 0;
};

/** Puts times of a row an hour ahead, as they are on a new primary whose clock is an hour behind that of the last one. */
const setAhead = (table: string, columns: readonly string[], condition: string, id: string) =>
  auth.dataSource.query(
    `UPDATE auth.${table} SET ${columns.map((column) => `${column} = ${column} + interval '1 hour'`).join(', ')}
     WHERE ${condition}`,
    [id],
  );

const requestOf = (email: string, purpose: AddressMail['purpose'] = 'reset_password') => ({
  ...{ eventId: uuidv7(), occurredAt: new Date() },
  mail: { email, purpose },
});

/** Long enough for columns of milliseconds to tell it. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('a transaction that began before another one committed', () => {
  it('ends the session that the other one began, not before that began', async () => {
    const account = await auth.addAccount();
    await auth.database.write(
      async (manager) => {
        await aMoment();
        await auth.logIn(account);
        await auth.sessions.revoke(manager, account.id);
      },
      { scopes: [userScope(account.id)] },
    );
    expect(await count('sessions', 'user_id = $1 AND revoked_at >= last_used_at', account.id)).toBe(1);
  });

  it('voids the mailed token that the other one made, not before that was made', async () => {
    const { id, email } = await auth.addAccount();
    await auth.database.write(
      async (manager) => {
        await aMoment();
        await mails.issue(requestOf(email));
        await mails.void(manager, id, ['reset_password']);
      },
      { scopes: [userScope(id)] },
    );
    expect(await count('mail_tokens', 'account_id = $1 AND used_at >= created_at', id)).toBe(1);
  });

  it('uses up a refresh token when it has the lock, not when it began', async () => {
    const session = await beginSession();
    const isolated = auth.dataSource.createQueryRunner();
    await isolated.startTransaction();
    await isolated.query('SELECT FROM auth.sessions WHERE id = $1 FOR UPDATE', [session.sessionId]);
    const exchange = tokens.exchange(
      session.userId,
      session.refreshToken.hash,
      newSecretToken().hash,
      '192.0.2.1',
    );
    await aMoment();
    await isolated.query('UPDATE auth.sessions SET last_used_at = clock_timestamp() WHERE id = $1', [
      session.sessionId,
    ]);
    await isolated.commitTransaction();
    await isolated.release();
    await expect(exchange).resolves.toMatchObject({ outcome: 'rotated' });
    const isLater = `id = $1 AND last_used_at > created_at + interval '15 ms' AND EXISTS (
      SELECT FROM auth.used_refresh_tokens WHERE session_id = id AND used_at > created_at + interval '15 ms')`;
    expect(await count('sessions', isLater, session.sessionId)).toBe(1);
  });
});

describe('the times of a row that are ahead of the clock of the database', () => {
  const sessionTimes = ['created_at', 'authenticated_at', 'last_used_at'];

  it.each([
    ['ended', (id: string, userId: string) => auth.sessions.end(userId, id)],
    ['revoked', (_: string, userId: string) => auth.sessions.revokeAll(userId)],
  ])('are not after the end of a session that is %s', async (_, end) => {
    const { sessionId, userId } = await beginSession();
    await setAhead('sessions', sessionTimes, 'id = $1', sessionId);
    await end(sessionId, userId);
    expect(await count('sessions', 'id = $1 AND revoked_at >= last_used_at', sessionId)).toBe(1);
  });

  it('are not after the end of a session whose refresh token was stolen', async () => {
    const { sessionId, userId, refreshToken } = await beginSession();
    await tokens.exchange(userId, refreshToken.hash, newSecretToken().hash, '192.0.2.1');
    await auth.dataSource.query(
      "UPDATE auth.used_refresh_tokens SET used_at = used_at - interval '11 s' WHERE session_id = $1",
      [sessionId],
    );
    await setAhead('sessions', sessionTimes, 'id = $1', sessionId);
    await expect(tokens.refuse(refreshToken.hash)).resolves.toMatchObject({ outcome: 'reused' });
    expect(await count('sessions', 'id = $1 AND revoked_at >= last_used_at', sessionId)).toBe(1);
  });

  it('are not after the last use of a session', async () => {
    const { sessionId, userId, refreshToken } = await beginSession();
    await setAhead('sessions', sessionTimes, 'id = $1', sessionId);
    await tokens.exchange(userId, refreshToken.hash, newSecretToken().hash, '192.0.2.1');
    expect(await count('sessions', 'id = $1 AND last_used_at >= created_at', sessionId)).toBe(1);
  });

  it('are not after the sending and the use of a mailed token', async () => {
    const { id, email } = await auth.addAccount();
    const request = requestOf(email);
    await mails.issue(request);
    await setAhead('mail_tokens', ['created_at'], 'account_id = $1', id);
    await mails.markSent(request.eventId);
    await auth.database.write((manager) => mails.void(manager, id, ['reset_password']), {
      scopes: [userScope(id)],
    });
    const isInOrder = 'account_id = $1 AND created_at <= sent_at AND sent_at <= used_at';
    expect(await count('mail_tokens', isInOrder, id)).toBe(1);
  });

  it('are not after the verification of an address', async () => {
    const { id, email } = await auth.addAccount();
    const due = await mails.issue(requestOf(email, 'verify_email'));
    await setAhead('accounts', ['created_at'], 'id = $1', id);
    await setAhead('mail_tokens', ['created_at'], 'account_id = $1', id);
    await new VerificationService(auth.database, mails).verify(due?.token ?? '');
    expect(await count('accounts', 'id = $1 AND email_verified_at >= created_at', id)).toBe(1);
    expect(await count('mail_tokens', 'account_id = $1 AND used_at >= created_at', id)).toBe(1);
  });
});
