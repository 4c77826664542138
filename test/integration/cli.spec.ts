import { startApi, type Api } from '../support/api.js';
import { client, type Client } from '../support/client.js';
import { runApp } from '../support/run.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

let api: Api;
let caller: Client;
const cli = (...args: string[]) => runApp('cli', args, { DATABASE_URL: api.databaseUrl });

beforeAll(async () => {
  api = await startApi();
  caller = client(api.url);
});
afterAll(async () => {
  caller.close();
  await api.stop();
});

describe('the command line for operators', () => {
  it('changes tier and role, after which the user has to log in anew', async () => {
    const { email, password, accessToken } = await caller.registerAndLogin();
    const { code, output } = await cli('user', 'set-tier', email.toUpperCase(), 'premium');
    expect([code, JSON.parse(output)]).toEqual([
      0,
      expect.objectContaining({ email, tier: 'premium', role: 'user' }),
    ]);
    await waitFor(
      async () => (await caller.request('GET', '/v1/users/me', { token: accessToken })).status === 401,
      {
        what: 'the old token to be refused',
      },
    );
    const { accessToken: token } = await caller.login(email, password);
    expect((await caller.request('GET', '/v1/users/me', { token })).body).toMatchObject({ tier: 'premium' });
    expect((await cli('user', 'set-role', email, 'admin')).output).toContain('"role": "admin"');
  });

  it('reports what is wrong, with its usage', async () => {
    for (const args of [
      [],
      ['nothing'],
      ['user'],
      ['user', 'set-tier', 'a@example.com', 'gold'],
      ['seed', '--users', 'x'],
      ['seed', '--nope'],
      ['database'],
      ['database', 'renew-id', 'now'],
    ]) {
      expect(await cli(...args)).toMatchObject({ code: 64, output: expect.stringContaining('Usage:') });
    }
    expect((await cli('user', 'show', 'nobody@example.com')).output).toContain('no user with the e-mail');
    // Each command is a process, which takes seconds to start on a slow machine.
  }, 90_000);

  it('seeds users who can log in, with their tasks', async () => {
    const { code, output } = await cli('seed', '--users', '5', '--tasks', '200');
    expect([code, output]).toEqual([0, expect.stringContaining('5 users and 200 tasks')]);
    const [account] = await runSql(
      api.databaseUrl,
      `SELECT email FROM auth.accounts WHERE id = (SELECT user_id FROM tasks.tasks LIMIT 1)`,
    );
    const { accessToken: token } = await caller.login(String(account?.['email']), 'correct horse battery');
    const { body } = await caller.request<{ data: unknown[] }>('GET', '/v1/tasks', { token });
    expect(body.data.length).toBeGreaterThan(0);
  });

  it('gives the database another id, with which a running API continues', async () => {
    const idOf = async () =>
      (await runSql(api.databaseUrl, 'SELECT id FROM platform.database_identity'))[0]?.['id'];
    const { accessToken: token } = await caller.registerAndLogin();
    const before = await idOf();
    const { code, output } = await cli('database', 'renew-id');
    const after = await idOf();
    expect([code, output]).toEqual([0, expect.stringContaining(`new id ${String(after)}.`)]);
    expect(after).not.toBe(before);
    expect(await runSql(api.databaseUrl, 'SELECT count(*)::int AS count FROM platform.leases')).toEqual([
      { count: 1 },
    ]);
    const { status } = await caller.request('POST', '/v1/tasks', { token, body: { title: 'after' } });
    expect(status).toBe(201);
    const { body } = await caller.request('GET', '/v1/tasks', { token });
    expect(body['data']).toMatchObject([{ title: 'after' }]);
  });
});
