import { AccountEntity } from '../../libs/auth/account.entity.js';
import { MailDeliveryService } from '../../libs/auth/mails/mail-delivery.service.js';
import type { MailPurpose } from '../../libs/auth/mails/mail.events.js';
import { MailTokensService } from '../../libs/auth/mails/mail-tokens.service.js';
import { hashToken } from '../../libs/auth/tokens/secret-token.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { Mailer, type Mail } from '../../libs/platform/mail/mailer.port.js';
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

const ask = (email: string, purpose: MailPurpose = 'reset_password', eventId = uuidv7()) =>
  delivery.deliver({ eventId, email, purpose });
const sentToken = (index = 0) => /\?token=(\S+)/.exec(mailer.sent[index]?.text ?? '')?.[1] ?? '';
const consume = (token: string, purpose: MailPurpose) =>
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

describe('a mailed token', () => {
  it('works for one of ten simultaneous requests', async () => {
    const { id, email } = await auth.addAccount();
    await ask(email);
    const token = sentToken();
    const results = await Promise.all(Array.from({ length: 10 }, () => consume(token, 'reset_password')));
    expect(results.filter((accountId) => accountId === id)).toHaveLength(1);
    expect(results.filter((accountId) => accountId === null)).toHaveLength(9);
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
