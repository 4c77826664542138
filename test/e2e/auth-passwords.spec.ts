import { client, newRegistration, type Client, type Session } from '../support/client.js';
import { waitForMail, waitForToken } from '../support/mailbox.js';
import { expectProblem } from '../support/problem.js';

const newPassword = 'another horse battery staple';

let api: Client;
let user: Session;
beforeAll(() => {
  api = client();
});
beforeEach(async () => {
  user = await api.registerAndLogin();
});
afterAll(() => api.close());

const forgot = (email: string) => api.request('POST', '/v1/auth/password/forgot', { body: { email } });
const reset = (token: string, password = newPassword) =>
  api.request('POST', '/v1/auth/password/reset', { body: { token, password } });
const change = (current_password: string, new_password = newPassword) =>
  api.request('POST', '/v1/auth/password/change', {
    token: user.accessToken,
    body: { current_password, new_password },
  });
const logIn = (password: string) =>
  api.request('POST', '/v1/auth/login', { body: { email: user.email, password } });
const readProfile = (token: string) => api.request('GET', '/v1/users/me', { token });

async function requestReset(skip = 0): Promise<string> {
  expect((await forgot(user.email)).status).toBe(202);
  return waitForToken(user.email, { subject: 'reset', skip });
}

describe('a forgotten password', () => {
  it('is replaced with the mailed token, which ends every session', async () => {
    expect((await reset(await requestReset())).status).toBe(204);
    expectProblem(await readProfile(user.accessToken), 401, 'invalid_token');
    expectProblem(await logIn(user.password), 401, 'invalid_credentials');
    expect((await logIn(newPassword)).status).toBe(200);
  });

  it('is replaced once: the token and the others of the account are invalid afterwards', async () => {
    const [first, second] = [await requestReset(0), await requestReset(1)];
    expect((await reset(second)).status).toBe(204);
    for (const token of [first, second]) expectProblem(await reset(token), 422, 'invalid_token');
    expect((await logIn(newPassword)).status).toBe(200);
  });

  it('is not replaced by a password that is too short, and the token stays valid', async () => {
    const token = await requestReset();
    expectProblem(await reset(token, 'too short'), 422, 'validation_failed');
    expect((await reset(token)).status).toBe(204);
  });

  it('is not replaced with a token that verifies the address', async () => {
    const token = await waitForToken(user.email, { subject: 'verify' });
    expectProblem(await reset(token), 422, 'invalid_token');
  });

  it('gets the same response whether or not the address is known', async () => {
    const answers = [await forgot(user.email), await forgot(newRegistration().email)];
    const [known, unknown] = answers.map(({ status, text, headers }) => [
      status,
      text,
      Object.keys(headers).sort(),
    ]);
    expect(known).toEqual(unknown);
    expect(known?.[0]).toBe(202);
  });
});

describe('a new password', () => {
  const weak = 'passwordpassword';

  it('is refused where it is easy to guess, and the token of a reset stays valid', async () => {
    const token = await requestReset();
    for (const answer of [await reset(token, weak), await reset(token, user.email)])
      expectProblem(answer, 422, 'weak_password');
    const changed = expectProblem(await change(user.password, weak), 422, 'weak_password');
    expect(changed.errors?.map(({ pointer }) => pointer)).toEqual(['/new_password']);
    // Whoever does not know the current one learns nothing more.
    expectProblem(await change('not my password', weak), 403, 'invalid_password');
    expect((await reset(token)).status).toBe(204);
  });

  it('is told to the user by a mail, after a change as after a reset', async () => {
    await change(user.password);
    const { text } = await waitForMail(user.email, { subject: 'password was changed' });
    expect(text).toContain('/v1/auth/password/forgot');
    await reset(await requestReset(), `${newPassword} 2`);
    await waitForMail(user.email, { subject: 'password was changed', skip: 1 });
  });

  it('is the same from each keyboard: accents composed or not, any kind of blank', async () => {
    expect((await change(user.password, 'sch\u00F6ne gr\u00FC\u00DFe')).status).toBe(204);
    expect((await logIn('scho\u0308ne\u00A0gru\u0308\u00DFe')).status).toBe(200);
    expectProblem(await logIn('schone grusse'), 401, 'invalid_credentials');
  });
});

describe('a change of the password', () => {
  it('ends the other sessions and keeps the requesting one', async () => {
    const other = await api.login(user.email, user.password);
    expect((await change(user.password)).status).toBe(204);
    expectProblem(await readProfile(other.accessToken), 401, 'invalid_token');
    expect((await readProfile(user.accessToken)).status).toBe(200);
    expectProblem(await logIn(user.password), 401, 'invalid_credentials');
    expect((await logIn(newPassword)).status).toBe(200);
  });

  it('requires the current password', async () => {
    expectProblem(await change('not my password'), 403, 'invalid_password');
    expect((await logIn(user.password)).status).toBe(200);
  });

  it('invalidates mailed reset tokens', async () => {
    const token = await requestReset();
    await change(user.password);
    expectProblem(await reset(token), 422, 'invalid_token');
  });

  it('happens once when it is asked for twice at the same time', async () => {
    const answers = await Promise.all([change(user.password), change(user.password, `${newPassword} 2`)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 403]);
  });
});
