import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { startApi, type Api } from '../support/api.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { client } from '../support/client.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly isEncrypted: boolean;
  readonly content: string;
}

let directory: string;
let certificates: Certificates;
let received: Received[];
let refusals: number;
let server: SMTPServer;
let api: Api;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'smtp-'));
  certificates = await makeCertificates(directory);
});
beforeEach(() => {
  received = [];
  refusals = 0;
});
afterEach(async () => {
  await api.stop();
  await new Promise<void>((resolve) => server.close(resolve));
});
afterAll(() => rm(directory, { recursive: true }));

/** Starts a mail server, with TLS or without, and an API that sends its mails there. */
async function start(hasTls: boolean, env: Readonly<Record<string, string>>, parameters = ''): Promise<void> {
  const { certFile, keyFile, caFile } = certificates;
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: hasTls ? [] : ['STARTTLS'],
    cert: await readFile(certFile, 'utf8'),
    key: await readFile(keyFile, 'utf8'),
    onRcptTo: (_address, _session, done) => {
      if (refusals-- > 0) done(Object.assign(new Error('Try again later'), { responseCode: 451 }));
      else done();
    },
    onData: (stream, { envelope, secure }, done) => {
      void text(stream).then((content) => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        received.push({ from, to, isEncrypted: secure, content });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  api = await startApi({
    env: {
      NODE_EXTRA_CA_CERTS: caFile,
      SMTP_URL: `smtp://127.0.0.1:${port}${parameters}`,
      MAIL_FROM: 'Tasks <tasks@example.com>',
      PUBLIC_URL: 'https://tasks.example.com',
      ...env,
    },
  });
}

describe('mail over SMTP', () => {
  it('reaches the server with sender, recipient and a link that works, over TLS', async () => {
    await start(true, {});
    const caller = client(api.url);
    const { email } = await caller.registerAndLogin();
    const [mail] = await waitFor(() => (received.length > 0 ? received : null));
    expect(mail).toMatchObject({ from: 'tasks@example.com', to: [email], isEncrypted: true });
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

  it.each(['', '?requireTLS=false&ignoreTLS=true'])(
    'is not sent in clear text where TLS was taken out of the conversation%s',
    async (parameters) => {
      await start(false, {}, parameters);
      await client(api.url).registerAndLogin();
      await waitFor(() => api.logs().includes('an event failed'), { timeoutMs: 20_000 });
      expect(api.logs()).toContain('STARTTLS');
      expect(received).toEqual([]);
    },
  );

  it('is sent in clear text where the operator allows it', async () => {
    await start(false, { SMTP_REQUIRE_TLS: 'false' });
    const { email } = await client(api.url).registerAndLogin();
    await waitFor(() => received.length > 0);
    expect(received).toEqual([expect.objectContaining({ to: [email], isEncrypted: false })]);
  });

  it('is tried again if the server refuses it temporarily, and sent once', async () => {
    await start(true, {});
    refusals = 1;
    const { email } = await client(api.url).registerAndLogin();
    await waitFor(() => received.length > 0, { timeoutMs: 20_000 });
    expect(received.map(({ to }) => to)).toEqual([[email]]);
    expect(api.logs()).toContain('an event failed');
  });
});
