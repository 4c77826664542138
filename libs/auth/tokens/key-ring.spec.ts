import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentKey, readKeyFiles } from './key-files.js';
import { logger } from '../../platform/logging/logger.js';
import { KeyRing } from './key-ring.js';

const publishSeconds = 300;
const tokenTtlSeconds = 900;

logger.level = 'silent';

let directory: string;
/** Milliseconds that the clock of the ring is ahead of the file system's. */
let passedMs: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-ring-'));
  passedMs = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function addKey(kid: string, namedCurve = 'P-256'): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  await writeFile(join(directory, `${kid}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

const pass = (seconds: number) => (passedMs += seconds * 1000);

async function openRing(): Promise<KeyRing> {
  const ring = new KeyRing({ directory, publishSeconds, tokenTtlSeconds }, () => Date.now() + passedMs);
  await ring.reload();
  return ring;
}

describe('KeyRing', () => {
  it('signs with its only key at once', async () => {
    await addKey('2026-01-01');
    expect((await openRing()).signingKey().kid).toBe('2026-01-01');
  });

  it('publishes a new key before it signs with it', async () => {
    await addKey('2026-01-01');
    pass(publishSeconds + 1);
    const ring = await openRing();
    await addKey('2026-02-01');
    await ring.reload();
    passedMs = 0;
    expect(ring.all().map(({ kid }) => kid)).toEqual(['2026-01-01', '2026-02-01']);
    expect(ring.signingKey().kid).toBe('2026-01-01');
    pass(publishSeconds + 1);
    expect(ring.signingKey().kid).toBe('2026-02-01');
  });

  it('signs with the older of two new keys after a start: the other processes have that one', async () => {
    await addKey('2026-01-01');
    await addKey('2026-02-01');
    expect((await openRing()).signingKey().kid).toBe('2026-01-01');
  });

  it('goes on with its key when all files are written anew beside a new one, as the kubelet does', async () => {
    await addKey('a');
    await addKey('b');
    const ring = await openRing();
    const pem = await stat(join(directory, 'b.pem'));
    pass(publishSeconds + 1);
    expect(ring.signingKey().kid).toBe('b');
    const [a, b] = await readKeyFiles(directory);
    for (const key of [a, b]) {
      if (key !== undefined) {
        await writeFile(
          join(directory, `${key.kid}.pem`),
          key.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        );
      }
    }
    expect((await stat(join(directory, 'b.pem'))).ctimeMs).toBeGreaterThan(pem.ctimeMs);
    await ring.reload();
    expect(ring.signingKey().kid).toBe('b');
  });

  it('verifies with a removed key until its last token has expired, then no longer', async () => {
    await addKey('2026-01-01');
    await addKey('2026-02-01');
    const ring = await openRing();
    await rm(join(directory, '2026-01-01.pem'));
    await ring.reload();
    expect(ring.signingKey().kid).toBe('2026-02-01');
    pass(tokenTtlSeconds);
    await ring.reload();
    expect(ring.find('2026-01-01')).not.toBeNull();
    pass(publishSeconds + 1);
    await ring.reload();
    expect(ring.find('2026-01-01')).toBeNull();
  });

  it('keeps its keys while the folder can not be read', async () => {
    await addKey('2026-01-01');
    const ring = await openRing();
    await rm(directory, { recursive: true });
    await expect(ring.reload()).rejects.toThrow('ENOENT');
    expect(ring.signingKey().kid).toBe('2026-01-01');
  });

  it('leaves out what is no P-256 private key, and takes it once it is one', async () => {
    await addKey('good');
    await addKey('other-curve', 'P-384');
    await writeFile(join(directory, 'half.pem'), '-----BEGIN PRIVATE KEY-----\nMIGH');
    await writeFile(join(directory, '..data.pem'), 'a file of the kubelet');
    const ring = await openRing();
    expect(ring.all().map(({ kid }) => kid)).toEqual(['good']);
    await addKey('half');
    await ring.reload();
    expect(ring.find('half')).not.toBeNull();
  });

  it('knows no other kid', async () => {
    await addKey('2026-01-01');
    expect((await openRing()).find('2026-01-02')).toBeNull();
  });

  it('refuses to start without a key', async () => {
    const ring = new KeyRing({ directory, publishSeconds, tokenTtlSeconds });
    await expect(ring.onModuleInit()).rejects.toThrow('There is no P-256 private key');
  });
});

describe('the development key', () => {
  it('is made once, for its owner alone, however many processes start together', async () => {
    const folder = join(directory, 'keys');
    await Promise.all(Array.from({ length: 10 }, () => ensureDevelopmentKey(folder)));
    expect(await readdir(folder)).toEqual(['development.pem']);
    expect((await stat(join(folder, 'development.pem'))).mode & 0o777).toBe(0o600);
    const [before] = await readKeyFiles(folder);
    await ensureDevelopmentKey(folder);
    const [after] = await readKeyFiles(folder);
    expect(after?.publicKey.equals(before?.publicKey ?? after.privateKey)).toBe(true);
  });
});
