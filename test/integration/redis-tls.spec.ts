import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { createRedis, parseRedisUrl } from '../../libs/platform/redis/redis-url.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { waitFor } from '../support/wait.js';

let directory: string;
let files: Certificates;
let listener: Server;
/** What a client sent after it trusted the server. */
let received: string;
let connections: number;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'redis-names-'));
  files = await makeCertificates(directory, 'IP:127.0.0.1');
});
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(async () => {
  received = '';
  connections = 0;
  listener = createServer({ cert: await readFile(files.certFile), key: await readFile(files.keyFile) });
  listener.on('connection', () => connections++);
  listener.on('secureConnection', (socket) => {
    socket.setEncoding('latin1').on('data', (data: string) => (received += data));
    socket.on('error', () => undefined);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
});
afterEach(() => listener.close());

const urls = ['rediss://:s3cret@HOST', 'rediss+cluster://:s3cret@HOST', 'rediss+sentinel://:s3cret@HOST/m'];

/** Connects again and again until `isEnough`. */
async function connect(url: string, host: string, isEnough: () => boolean): Promise<void> {
  const { port } = listener.address() as AddressInfo;
  const address = parseRedisUrl(url.replace('HOST', `${host}:${port}`));
  if (address === null) throw new Error(`no address: ${url}`);
  const client = createRedis(address, { REDIS_TIMEOUT_MS: 250, REDIS_CA_FILE: files.caFile }, 'test');
  client.on('error', () => undefined);
  client.connect().catch(() => undefined);
  try {
    await waitFor(isEnough);
  } finally {
    client.disconnect();
  }
}

describe.each(urls)('a client of %s', (url) => {
  it('accepts a server whose certificate is for the configured host', async () => {
    await connect(url, '127.0.0.1', () => received !== '');
    // Sentinels have their own password.
    expect(received.includes('s3cret')).toBe(!url.includes('sentinel'));
  });

  it('sends nothing, in particular no password, to a server whose certificate is for another host', async () => {
    await connect(url, 'localhost', () => connections >= 3);
    expect(received).toBe('');
  });
});
