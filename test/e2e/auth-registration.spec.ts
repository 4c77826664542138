import { client, newRegistration, type Client } from '../support/client.js';
import { mailsTo, waitForMail, waitForToken } from '../support/mailbox.js';
import { expectProblem } from '../support/problem.js';
import { waitFor } from '../support/wait.js';

let api: Client;
beforeAll(() => {
  api = client();
});
afterAll(() => api.close());

const register = (body: unknown) => api.request('POST', '/v1/auth/register', { body });
const verify = (token: string) => api.request('POST', '/v1/auth/verify-email', { body: { token } });
const resend = (email: string) => api.request('POST', '/v1/auth/resend-verification', { body: { email } });

describe('registration', () => {
  it('returns the user without tokens', async () => {
    const registration = newRegistration({ name: '  Ada Lovelace ', timezone: 'Europe/Berlin' });
    const { status, body } = await register(registration);
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
        email: registration.email,
        email_verified: false,
        name: 'Ada Lovelace',
        timezone: 'Europe/Berlin',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    });
  });

  it('defaults to UTC and converts the address to lower case', async () => {
    const { timezone: _, ...registration } = newRegistration();
    const { body } = await register({ ...registration, email: ` ${registration.email.toUpperCase()}\t` });
    expect(body).toMatchObject({ timezone: 'UTC', email: registration.email });
  });

  it('refuses an address that is taken, in whatever case', async () => {
    const registration = newRegistration();
    await register(registration);
    expectProblem(
      await register({ ...registration, email: registration.email.toUpperCase() }),
      409,
      'email_taken',
    );
  });

  it('lets one of 50 simultaneous registrations of an address through', async () => {
    const registration = newRegistration();
    const answers = await Promise.all(Array.from({ length: 50 }, () => register(registration)));
    const [made, refused] = [201, 409].map((status) => answers.filter((answer) => answer.status === status));
    expect([made?.length, refused?.length]).toEqual([1, 49]);
    for (const answer of refused ?? []) expectProblem(answer, 409, 'email_taken');
    await api.login(registration.email, registration.password);
  });

  it.each([
    ['/email', { email: 'ada@localhost' }],
    ['/email', { email: `${'a'.repeat(250)}@example.com` }],
    ['/email', { email: 'ada@example.com\r\nBcc: eve@example.com' }],
    ['/password', { password: 'eleven char' }],
    ['/password', { password: 'x'.repeat(129) }],
    ['/password', { password: 'correct horse\u200Bbattery' }],
    // Eleven characters once their accents are composed.
    ['/password', { password: `${'a\u0308'.repeat(3)} horse b` }],
    ['/name', { name: '   ' }],
    ['/name', { name: 'x'.repeat(101) }],
    ['/timezone', { timezone: 'Mars/Olympus_Mons' }],
    ['/role', { role: 'admin' }],
  ])('refuses an invalid value of %s: %j', async (pointer, change) => {
    const problem = expectProblem(
      await register({ ...newRegistration(), ...change }),
      422,
      'validation_failed',
    );
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
  });

  it('accepts passwords of 12 and of 128 characters, counted as a person counts', async () => {
    // Each of them is two characters for JavaScript.
    const keys = Array.from({ length: 128 }, (_, n) => String.fromCodePoint(0x1f300 + ((n * 37) % 256)));
    for (const password of [keys.slice(0, 12).join(''), keys.join('')]) {
      const registration = newRegistration({ password });
      expect((await register(registration)).status).toBe(201);
      await api.login(registration.email, password);
    }
  });
});

describe('a password that is easy to guess', () => {
  const { email, name } = newRegistration();
  it.each(['passwordpassword', '123456789012', 'aaaaaaaaaaaa', email, `${name} 1`])(
    'is refused: %s',
    async (password) => {
      const problem = expectProblem(
        await register({ ...newRegistration(), email, name, password }),
        422,
        'weak_password',
      );
      expect(problem.errors?.map((error) => error.pointer)).toEqual(['/password']);
    },
  );
});

describe('verification', () => {
  it('works once with the mailed token', async () => {
    const user = await api.registerAndLogin();
    const token = await waitForToken(user.email, { subject: 'verify' });
    expect((await verify(token)).status).toBe(204);
    const profile = await api.request('GET', '/v1/users/me', { token: user.accessToken });
    expect(profile.body).toMatchObject({ email_verified: true });
    expectProblem(await verify(token), 422, 'invalid_token');
  });

  it('refuses a token that was never issued', async () => {
    expectProblem(await verify('A'.repeat(43)), 422, 'invalid_token');
    expectProblem(await verify('?'), 422, 'invalid_token');
  });

  it('can be requested again', async () => {
    const user = await api.registerAndLogin();
    expect((await resend(user.email)).status).toBe(202);
    const token = await waitForToken(user.email, { subject: 'verify', skip: 1 });
    expect((await verify(token)).status).toBe(204);
  });

  it('responds alike to known and unknown addresses', async () => {
    const user = await api.registerAndLogin();
    const answers = [await resend(user.email), await resend(newRegistration().email)];
    const [known, unknown] = answers.map(({ status, text, headers }) => [
      status,
      text,
      Object.keys(headers).sort(),
    ]);
    expect(known).toEqual(unknown);
    expect(known?.[0]).toBe(202);
  });

  it('sends at most three mails per hour to an address', async () => {
    const user = await api.registerAndLogin();
    for (let mail = 0; mail < 5; mail++) expect((await resend(user.email)).status).toBe(202);
    await waitFor(async () => (await mailsTo(user.email)).length >= 3, { what: 'three mails' });
    // The outbox delivers in order: when a later mail has arrived, all earlier ones have too.
    const later = newRegistration();
    await register(later);
    await waitForMail(later.email);
    expect(await mailsTo(user.email)).toHaveLength(3);
    // That of another purpose is not among them.
    await api.request('POST', '/v1/auth/password/forgot', { body: { email: user.email } });
    await waitForToken(user.email, { subject: 'reset' });
  });
});
