import { createHash } from 'node:crypto';
import { eventRoutes } from '../../apps/features.js';
import { AccountEntity } from '../../libs/auth/account.entity.js';
import { EmailChangeService } from '../../libs/auth/email-change/email-change.service.js';
import { FailedLoginsService } from '../../libs/auth/limits/failed-logins.service.js';
import { KnownNetworksService } from '../../libs/auth/limits/known-networks.service.js';
import { MailDeliveryService } from '../../libs/auth/mails/mail-delivery.service.js';
import type { AccountMail, AddressMail, TokenPurpose } from '../../libs/auth/mails/mail.events.js';
import { MailTokensService } from '../../libs/auth/mails/mail-tokens.service.js';
import { PasswordHasher } from '../../libs/auth/passwords/password-hasher.js';
import { ReauthenticationService } from '../../libs/auth/passwords/reauthentication.service.js';
import { hashToken } from '../../libs/auth/tokens/secret-token.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { Mailer, type Mail } from '../../libs/platform/mail/mailer.port.js';
import { waitFor } from '../support/wait.js';
import { openAuthFixture, type AuthFixture } from './auth-fixture.js';

class RememberingMailer extends Mailer {
  readonly sent: Mail[] = [];
  isBroken = false;

  send(mail: Mail): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('the mail server is away'));
    this.sent.push(mail);
    return Promise.resolve();
  }
}

let auth: AuthFixture;
let tokens: MailTokensService;
let mailer: RememberingMailer;
let delivery: MailDeliveryService;

beforeAll(async () => {
  auth = await openAuthFixture();
  tokens = new MailTokensService(auth.database, auth.config);
});
beforeEach(() => {
  mailer = new RememberingMailer();
  delivery = new MailDeliveryService(tokens, mailer, {
    PUBLIC_URL: 'https://tasks.example.com/',
    PORT: 5000,
  });
});
afterAll(() => auth.close());

const ask = (email: string, purpose: AddressMail['purpose'] = 'reset_password', eventId = uuidv7()) =>
  delivery.deliver({ eventId, occurredAt: new Date(), mail: { email, purpose } });
const sentToken = (index = 0) => /\?token=(\S+)/.exec(mailer.sent[index]?.text ?? '')?.[1] ?? '';
const consume = (token: string, purpose: TokenPurpose) =>
  auth.database.write((manager) => tokens.consume(manager, hashToken(token), purpose), { scopes: [] });

describe('mails to an address', () => {
  it('are at most three per hour, even if twenty are requested at once', async () => {
    const { email } = await auth.addAccount();
    await Promise.all(Array.from({ length: 20 }, () => ask(email)));
    expect(mailer.sent).toHaveLength(3);
  });

  it('are sent again an hour later', async () => {
    const { id, email } = await auth.addAccount();
    for (let mail = 0; mail < 4; mail++) await ask(email);
    await auth.dataSource.query(
      "UPDATE auth.mail_tokens SET created_at = created_at - interval '61 minutes' WHERE account_id = $1",
      [id],
    );
    await ask(email);
    expect(mailer.sent).toHaveLength(4);
  });

  it('are still counted after the account was deleted and created again', async () => {
    const { id, email } = await auth.addAccount();
    for (let mail = 0; mail < 3; mail++) await ask(email);
    await auth.accounts.delete(id);
    await auth.addAccount(email);
    await ask(email);
    expect(mailer.sent).toHaveLength(3);
  });

  it('are not sent if there is no account', async () => {
    await ask('nobody@example.com');
    expect(mailer.sent).toEqual([]);
  });

  it('are not sent to verify an address that is already verified', async () => {
    const { id, email } = await auth.addAccount();
    await auth.dataSource.manager.update(AccountEntity, { id }, { emailVerifiedAt: new Date() });
    await ask(email, 'verify_email');
    expect(mailer.sent).toEqual([]);
  });

  it('are sent once for an event that is delivered twice', async () => {
    const { email } = await auth.addAccount();
    const eventId = uuidv7();
    await ask(email, 'reset_password', eventId);
    await ask(email, 'reset_password', eventId);
    expect(mailer.sent).toHaveLength(1);
  });

  it('that could not be sent are sent with the next delivery, and counted once', async () => {
    const { email } = await auth.addAccount();
    const eventId = uuidv7();
    mailer.isBroken = true;
    await expect(ask(email, 'reset_password', eventId)).rejects.toThrow('away');
    mailer.isBroken = false;
    await ask(email, 'reset_password', eventId);
    await expect(consume(sentToken(), 'reset_password')).resolves.not.toBeNull();
    for (let mail = 0; mail < 3; mail++) await ask(email);
    expect(mailer.sent).toHaveLength(3);
  });

  it('link to PUBLIC_URL and name the endpoint for clients without a browser', async () => {
    const { email } = await auth.addAccount();
    await ask(email, 'verify_email');
    await ask(email, 'reset_password');
    const [verification, reset] = mailer.sent;
    expect(verification?.text).toContain(`https://tasks.example.com/verify-email?token=${sentToken(0)}\n`);
    expect(verification?.text).toContain('POST /v1/auth/verify-email');
    expect(reset?.text).toContain(`https://tasks.example.com/reset-password?token=${sentToken(1)}\n`);
    expect(reset?.text).toContain('POST /v1/auth/password/reset');
  });
});

describe('mails to the user of an account', () => {
  const tell = (mail: AccountMail, eventId = uuidv7()) =>
    delivery.deliver({ eventId, occurredAt: new Date('2026-11-30T10:20:30Z'), mail });
  const setPending = async (id: string, email: string | null) => {
    await auth.dataSource.query('DELETE FROM auth.email_changes WHERE account_id = $1', [id]);
    if (email !== null)
      await auth.dataSource.query(
        `INSERT INTO auth.email_changes (account_id, new_email, password_digest) VALUES ($1, $2, '')`,
        [id, email],
      );
  };

  it('say what happened, when, and what to do about it', async () => {
    const { id: user_id, email } = await auth.addAccount();
    await tell({ kind: 'password_changed', user_id, email });
    await tell({ kind: 'new_device', user_id, email, device: 'Firefox on Linux', ip: '192.0.2.7' });
    await tell({ kind: 'email_changed', user_id, email: 'former@example.com' });
    expect(mailer.sent.map(({ to, subject }) => [to, subject])).toEqual([
      [email, 'Your password was changed'],
      [email, 'New login to your account'],
      ['former@example.com', 'Your e-mail address was changed'],
    ]);
    for (const { text } of mailer.sent) expect(text).toContain('2026-11-30 10:20 UTC');
    expect(mailer.sent[1]?.text).toContain('Firefox on Linux, IP address 192.0.2.7.');
  });

  it('are sent once for an event that is delivered twice, and three of a kind in an hour', async () => {
    const { id: user_id, email } = await auth.addAccount();
    const eventId = uuidv7();
    for (let n = 0; n < 2; n++) await tell({ kind: 'password_changed', user_id, email }, eventId);
    expect(mailer.sent).toHaveLength(1);
    for (let n = 0; n < 5; n++) await tell({ kind: 'password_changed', user_id, email });
    expect(mailer.sent).toHaveLength(3);
    // No kind keeps the user from another one.
    await tell({ kind: 'new_device', user_id, email, device: 'Firefox', ip: '192.0.2.7' });
    await ask(email);
    expect(mailer.sent).toHaveLength(5);
  });

  it('that confirm a new address are three in an hour, however many addresses are tried', async () => {
    const { id } = await auth.addAccount();
    for (let n = 0; n < 5; n++) {
      await setPending(id, `somebody.${n}@example.com`);
      await tell({ kind: 'change_email', user_id: id });
    }
    expect(mailer.sent.map(({ to }) => to)).toEqual([0, 1, 2].map((n) => `somebody.${n}@example.com`));
  });

  it('that confirm a new address are three in an hour for it, however many accounts ask', async () => {
    const pending = `${uuidv7()}@example.com`;
    for (let n = 0; n < 5; n++) {
      const { id } = await auth.addAccount();
      await setPending(id, pending);
      await tell({ kind: 'change_email', user_id: id });
    }
    expect(mailer.sent.map(({ to }) => to)).toEqual([pending, pending, pending]);
  });

  it('that were not sent in time are not sent any more once their token is void', async () => {
    const { id, email } = await auth.addAccount();
    const eventId = uuidv7();
    mailer.isBroken = true;
    await expect(ask(email, 'reset_password', eventId)).rejects.toThrow('away');
    mailer.isBroken = false;
    await auth.database.write((manager) => tokens.void(manager, id, ['reset_password']), { scopes: [] });
    await ask(email, 'reset_password', eventId);
    expect(mailer.sent).toEqual([]);
  });

  it('that confirm a new address are not sent where none is wanted any more, or it has an account', async () => {
    const [{ id }, other] = [await auth.addAccount(), await auth.addAccount()];
    for (const pending of [null, other.email]) {
      await setPending(id, pending);
      await tell({ kind: 'change_email', user_id: id });
    }
    expect(mailer.sent).toEqual([]);
  });
});

describe('a change of the e-mail address', () => {
  const askFor = async (id: string, newEmail: string, passwordHash: string): Promise<string> => {
    const digest = createHash('sha256').update(passwordHash).digest();
    await auth.dataSource.query(
      'INSERT INTO auth.email_changes (account_id, new_email, password_digest) VALUES ($1, $2, $3)',
      [id, newEmail, digest],
    );
    await delivery.deliver({
      ...{ eventId: uuidv7(), occurredAt: new Date() },
      mail: { kind: 'change_email', user_id: id },
    });
    return sentToken();
  };
  const changes = () =>
    new EmailChangeService(
      auth.database,
      auth.accounts,
      new ReauthenticationService(
        auth.accounts,
        new PasswordHasher(auth.config),
        new FailedLoginsService(auth.path.limiter, auth.limits, new KnownNetworksService(auth.database)),
      ),
      tokens,
      new Outbox('auth', eventRoutes),
    );
  const newAddress = () => `${uuidv7()}@example.com`;

  it('is void after a new password, also where a process of the version before has set it', async () => {
    const { id, email, passwordHash } = await auth.addAccount();
    const token = await askFor(id, newAddress(), passwordHash);
    await auth.dataSource.query('UPDATE auth.accounts SET password_hash = $2 WHERE id = $1', [id, 'another']);
    await expect(changes().confirm(token)).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(auth.accounts.find(id)).resolves.toMatchObject({ email });
  });

  it('removes the former address from events that wait, but not from what is to be told to the user', async () => {
    const { id, email, passwordHash } = await auth.addAccount();
    await auth.dataSource.query(
      `INSERT INTO auth.inbox (consumer, event_id, topic, payload, occurred_at)
       VALUES ('auth.send-mail', gen_random_uuid(), 'auth.mail_requested', $1, now()),
              ('auth.send-account-mail', gen_random_uuid(), 'auth.account_mail_requested', $2, now())`,
      [
        { email, purpose: 'verify_email' },
        { kind: 'password_changed', user_id: id, email },
      ],
    );
    const left = async () => {
      const rows = await auth.dataSource.query<{ consumer: string }[]>(
        `SELECT consumer FROM auth.inbox WHERE payload->>'email' = $1
         UNION ALL SELECT payload->>'kind' FROM auth.outbox WHERE payload->>'email' = $1 ORDER BY 1`,
        [email],
      );
      return rows.map(({ consumer }) => consumer);
    };
    await changes().confirm(await askFor(id, newAddress(), passwordHash));
    await expect(left()).resolves.toEqual(['auth.send-account-mail', 'email_changed']);
    await auth.accounts.delete(id);
    await expect(left()).resolves.toEqual([]);
  });
});

describe('a mailed token', () => {
  it('works for one of ten simultaneous requests', async () => {
    const { id, email } = await auth.addAccount();
    await ask(email);
    const token = sentToken();
    const results = await Promise.all(Array.from({ length: 10 }, () => consume(token, 'reset_password')));
    expect(results.filter((consumed) => consumed?.accountId === id)).toHaveLength(1);
    expect(results.filter((consumed) => consumed === null)).toHaveLength(9);
  });

  it('is used in the order of locks of everything else: first the account', async () => {
    const { id, email } = await auth.addAccount();
    await ask(email);
    const other = auth.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query('SELECT FROM auth.accounts WHERE id = $1 FOR UPDATE', [id]);
    const use = auth.database.write(
      async (manager) => {
        const consumed = await tokens.consume(manager, hashToken(sentToken()), 'reset_password');
        await manager.query('UPDATE auth.accounts SET email_verified_at = now() WHERE id = $1', [id]);
        return consumed;
      },
      { scopes: [] },
    );
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await waitFor(async () => (await auth.dataSource.query<unknown[]>(waiting)).length > 0);
    await other.query("SET LOCAL lock_timeout = '100ms'");
    await other.query('UPDATE auth.mail_tokens SET used_at = now() WHERE account_id = $1', [id]);
    await other.commitTransaction();
    await other.release();
    await expect(use).resolves.toBeNull();
  });

  it('works for its own purpose only', async () => {
    const { email } = await auth.addAccount();
    await ask(email, 'verify_email');
    await expect(consume(sentToken(), 'reset_password')).resolves.toBeNull();
  });

  it.each([
    ['verify_email', 24 * 60],
    ['reset_password', 60],
  ] as const)('for %s works for %i minutes', async (purpose, minutes) => {
    const { id, email } = await auth.addAccount();
    await ask(email, purpose);
    const isUsable = () =>
      tokens.findAccount(hashToken(sentToken()), purpose).then((found) => found !== null);
    const grow = (by: number) =>
      auth.dataSource.query(
        'UPDATE auth.mail_tokens SET expires_at = expires_at - make_interval(mins => $2) WHERE account_id = $1',
        [id, by],
      );
    await grow(minutes - 1);
    await expect(isUsable()).resolves.toBe(true);
    await grow(1);
    await expect(isUsable()).resolves.toBe(false);
    await expect(consume(sentToken(), purpose)).resolves.toBeNull();
  });

  it('is stored as a hash only', async () => {
    const { email } = await auth.addAccount();
    await ask(email);
    const rows = await auth.dataSource.query<object[]>(
      'SELECT mail_tokens::text AS row FROM auth.mail_tokens',
    );
    expect(JSON.stringify(rows)).not.toContain(sentToken());
  });
});
