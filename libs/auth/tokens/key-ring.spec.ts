import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentKey, newSigningKey, readKeyFiles } from './key-files.js';
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

/** The kid of a key that was made so long ago. */
const madeAgo = (seconds: number): string =>
  newSigningKey(new Date(Date.now() - seconds * 1000)).fileName.replace('.pem', '');

const pass = (seconds: number) => (passedMs += seconds * 1000);

async function openRing(): Promise<KeyRing> {
  const ring = new KeyRing({ directory, publishSeconds, tokenTtlSeconds }, () => Date.now() + passedMs);
  await ring.reload();
  return ring;
}

const pems = new Map<string, string>();

/** As the kubelet does it: a new folder with all files, to which `..data` is turned, and a link a file. */
async function swap(mount: string, kids: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(mount, '..2026_'));
  for (const kid of kids) {
    const pem = pems.get(kid) ?? newSigningKey(new Date()).pem;
    pems.set(kid, pem);
    await writeFile(join(folder, `${kid}.pem`), pem);
  }
  await symlink(folder, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
  const names = kids.map((kid) => `${kid}.pem`);
  for (const name of names) await symlink(join('..data', name), join(mount, name)).catch(() => undefined);
  for (const name of await readdir(mount)) {
    if (!name.startsWith('..') && !names.includes(name)) await unlink(join(mount, name));
  }
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

  it('signs after a start with the newest key that its name says all others have', async () => {
    const [old, published, fresh] = [madeAgo(90_000), madeAgo(publishSeconds + 60), madeAgo(60)];
    await addKey(old);
    await addKey(fresh);
    expect((await openRing()).signingKey().kid).toBe(old);
    await addKey(published);
    // All files are equally young, as in the mount of a new pod.
    expect((await openRing()).signingKey().kid).toBe(published);
    pass(publishSeconds);
    expect((await openRing()).signingKey().kid).toBe(fresh);
  });

  it('does not believe the name of a key that comes later: it may have been given long before', async () => {
    const [old, late] = [madeAgo(90_000), madeAgo(publishSeconds + 60)];
    await addKey(old);
    const ring = await openRing();
    await addKey(late);
    await ring.reload();
    expect(ring.signingKey().kid).toBe(old);
    pass(publishSeconds + 1);
    expect(ring.signingKey().kid).toBe(late);
  });

  it('takes a name from the future, or one that is no moment, for no age', async () => {
    await addKey('2026-01-01');
    await addKey('2026-13-01T00-00-00Z');
    await addKey('2999-01-01T00-00-00Z');
    const ring = await openRing();
    expect(ring.signingKey().kid).toBe('2026-01-01');
    pass(publishSeconds + 1);
    expect(ring.signingKey().kid).toBe('2026-13-01T00-00-00Z');
  });

  it('follows the mount of a Kubernetes secret, whose folder is swapped as a whole', async () => {
    const [old, next] = [madeAgo(90_000), madeAgo(30)];
    const keys = join(directory, 'mount');
    await mkdir(keys);
    await swap(keys, [old]);
    const ring = new KeyRing(
      { directory: keys, publishSeconds, tokenTtlSeconds },
      () => Date.now() + passedMs,
    );
    await ring.reload();
    expect(ring.signingKey().kid).toBe(old);
    await swap(keys, [old, next]);
    await ring.reload();
    expect(ring.all().map(({ kid }) => kid)).toEqual([old, next]);
    expect(ring.signingKey().kid).toBe(old);
    pass(publishSeconds + 1);
    expect(ring.signingKey().kid).toBe(next);
    await swap(keys, [next]);
    await ring.reload();
    expect(ring.signingKey().kid).toBe(next);
    expect(ring.findPem(old)).not.toBeNull();
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
    expect(ring.findPem('2026-01-01')).not.toBeNull();
    pass(publishSeconds + 1);
    await ring.reload();
    expect(ring.findPem('2026-01-01')).toBeNull();
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
    expect(ring.findPem('half')).not.toBeNull();
  });

  it('knows no other kid', async () => {
    await addKey('2026-01-01');
    expect((await openRing()).findPem('2026-01-02')).toBeNull();
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
