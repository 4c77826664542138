import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { startApi, type Api } from '../support/api.js';
import { client } from '../support/client.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string;
}

let received: Received[];
let refusals: number;
let server: SMTPServer;
let api: Api;

beforeEach(async () => {
  received = [];
  refusals = 0;
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, done) => {
      if (refusals-- > 0) done(Object.assign(new Error('Try again later'), { responseCode: 451 }));
      else done();
    },
    onData: (stream, { envelope }, done) => {
      void text(stream).then((content) => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        received.push({ from, to: envelope.rcptTo.map(({ address }) => address), content });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  api = await startApi({
    env: {
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      MAIL_FROM: 'Tasks <tasks@example.com>',
      PUBLIC_URL: 'https://tasks.example.com',
    },
  });
});
afterEach(async () => {
  await api.stop();
  await new Promise<void>((resolve) => server.close(resolve));
});

describe('mail over SMTP', () => {
  it('reaches the server with sender, recipient and a link that works', async () => {
    const caller = client(api.url);
    const { email } = await caller.registerAndLogin();
    const [mail] = await waitFor(() => (received.length > 0 ? received : null));
    expect(mail).toMatchObject({ from: 'tasks@example.com', to: [email] });
    // Quoted-printable may break a line within the link.
    const content = mail?.content.replace(/=\r?\n/g, '').replaceAll('=3D', '=') ?? '';
    const token = /https:\/\/tasks\.example\.com\/verify-email\?token=([\w-]+)/.exec(content)?.[1];
    expect((await caller.request('POST', '/v1/auth/verify-email', { body: { token } })).status).toBe(204);
    expect(api.logs()).not.toContain(token);
    const events = `SELECT event_id AS id FROM auth.inbox WHERE consumer = 'auth.send-mail'`;
    expect((await runSql(api.databaseUrl, events)).map(({ id }) => id)).toEqual([
      /^X-Event-Id: (\S+)/im.exec(content)?.[1],
    ]);
  });

  it('is tried again if the server refuses it temporarily, and sent once', async () => {
    refusals = 1;
    const { email } = await client(api.url).registerAndLogin();
    await waitFor(() => received.length > 0, { timeoutMs: 20_000 });
    expect(received.map(({ to }) => to)).toEqual([[email]]);
    expect(api.logs()).toContain('an event failed');
  });
});
