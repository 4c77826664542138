import { client, newRegistration, type Client, type Session } from '../support/client.js';
import { mailsTo, waitForMail, waitForToken } from '../support/mailbox.js';
import { expectProblem } from '../support/problem.js';

let api: Client;
let user: Session;
let newEmail: string;
beforeAll(() => {
  api = client();
});
beforeEach(async () => {
  user = await api.registerAndLogin();
  newEmail = newRegistration().email;
});
afterAll(() => api.close());

const change = (new_email: string, current_password = user.password) =>
  api.request('POST', '/v1/auth/email/change', {
    token: user.accessToken,
    body: { current_password, new_email },
  });
const confirm = (token: string) => api.request('POST', '/v1/auth/email/confirm', { body: { token } });
const logIn = (email: string, password = user.password) =>
  api.request('POST', '/v1/auth/login', { body: { email, password } });
const readProfile = (headers = {}) =>
  api.request('GET', '/v1/users/me', { token: user.accessToken, headers });

async function requestChange(email = newEmail, written = email): Promise<string> {
  expect((await change(written)).status).toBe(202);
  return waitForToken(email, { subject: 'confirm' });
}

describe('a change of the e-mail address', () => {
  it('happens with the token that was mailed to the new one, for the very next request', async () => {
    const before = await readProfile();
    const token = await requestChange(newEmail, `  ${newEmail.toUpperCase()} `);
    expect((await readProfile()).body).toMatchObject({ email: user.email, email_verified: false });
    const stored = await api.request('GET', '/v1/users/me/export', { token: user.accessToken });
    expect(stored.body).toMatchObject({ auth: { email: user.email, new_email: newEmail } });
    expect((await confirm(token)).status).toBe(204);
    const { status, body } = await readProfile({ 'if-none-match': before.headers['etag'] });
    expect([status, body['email'], body['email_verified']]).toEqual([200, newEmail, true]);
    expectProblem(await logIn(user.email), 401, 'invalid_credentials');
    expect((await logIn(newEmail)).status).toBe(200);
    expectProblem(await confirm(token), 422, 'invalid_token');
  });

  it('gives the profile another ETag also where the former address was verified', async () => {
    const verification = await waitForToken(user.email, { subject: 'verify' });
    await api.request('POST', '/v1/auth/verify-email', { body: { token: verification } });
    const before = await readProfile();
    await confirm(await requestChange());
    const after = await readProfile({ 'if-none-match': before.headers['etag'] });
    expect([after.status, after.body['email']]).toEqual([200, newEmail]);
  });

  it('is told to the former address, whose tokens are void', async () => {
    const verification = await waitForToken(user.email, { subject: 'verify' });
    await api.request('POST', '/v1/auth/password/forgot', { body: { email: user.email } });
    const reset = await waitForToken(user.email, { subject: 'reset' });
    await confirm(await requestChange());
    const { text } = await waitForMail(user.email, { subject: 'address was changed' });
    expect(text).not.toContain(newEmail);
    const answers = [
      await api.request('POST', '/v1/auth/verify-email', { body: { token: verification } }),
      await api.request('POST', '/v1/auth/password/reset', {
        body: { token: reset, password: 'another horse battery staple' },
      }),
    ];
    for (const answer of answers) expectProblem(answer, 422, 'invalid_token');
  });

  it('requires the current password', async () => {
    expectProblem(await change(newEmail, 'not my password'), 403, 'invalid_password');
    expectProblem(await change(user.email.toUpperCase()), 422, 'email_unchanged');
    expectProblem(await change('ada@localhost'), 422, 'validation_failed');
  });

  it('asked for anew takes the place of the one before', async () => {
    const first = await requestChange();
    const other = newRegistration().email;
    const second = await requestChange(other);
    expectProblem(await confirm(first), 422, 'invalid_token');
    expect((await confirm(second)).status).toBe(204);
    expect((await readProfile()).body).toMatchObject({ email: other });
  });

  it('is void once the password has been changed', async () => {
    const token = await requestChange();
    const changed = await api.request('POST', '/v1/auth/password/change', {
      token: user.accessToken,
      body: { current_password: user.password, new_password: 'another horse battery staple' },
    });
    expect(changed.status).toBe(204);
    expectProblem(await confirm(token), 422, 'invalid_token');
  });

  it('answers alike, and sends no mail, where the new address has an account', async () => {
    const other = await api.registerAndLogin();
    const taken = await change(other.email);
    const free = await change(newEmail);
    expect([taken.status, taken.text, Object.keys(taken.headers).sort()]).toEqual([
      202,
      free.text,
      Object.keys(free.headers).sort(),
    ]);
    await waitForMail(newEmail, { subject: 'confirm' });
    expect((await mailsTo(other.email)).map(({ subject }) => subject)).not.toContainEqual(
      expect.stringMatching(/confirm/i),
    );
  });

  it('is refused where another account got the address meanwhile, and the token stays valid', async () => {
    const token = await requestChange();
    const other = await api.registerAndLogin({ email: newEmail });
    expectProblem(await confirm(token), 409, 'email_taken');
    expect((await readProfile()).body).toMatchObject({ email: user.email });
    const { status } = await api.request('DELETE', '/v1/users/me', { token: other.accessToken });
    expect(status).toBe(204);
    expect((await confirm(token)).status).toBe(204);
  });

  it('happens once when it is confirmed ten times at once', async () => {
    const token = await requestChange();
    const answers = await Promise.all(Array.from({ length: 10 }, () => confirm(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(9).fill(422)]);
  });

  it('goes together with other changes of the account at the same time', async () => {
    const newPassword = 'another horse battery staple';
    const send = (path: string, body: object) =>
      api.request('POST', `/v1/auth/${path}`, { token: user.accessToken, body });
    for (let round = 0; round < 5; round++) {
      user = await api.registerAndLogin();
      const email = newRegistration().email;
      await send('password/forgot', { email: user.email });
      const [verify, reset, changed] = await Promise.all([
        waitForToken(user.email, { subject: 'verify' }),
        waitForToken(user.email, { subject: 'reset' }),
        requestChange(email),
      ]);
      const answers = await Promise.all([
        send('verify-email', { token: verify }),
        send('password/reset', { token: reset, password: newPassword }),
        send('password/change', { current_password: user.password, new_password: `${newPassword} 2` }),
        send('email/confirm', { token: changed }),
      ]);
      for (const { status } of answers) expect([204, 401, 403, 422]).toContain(status);
    }
  });
});
