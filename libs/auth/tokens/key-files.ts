import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import { link, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logger } from '../../platform/logging/logger.js';

/** A key of the folder. */
export interface KeyFile {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** When the file came to be. Unlike its modification time, no copying tool can set this one back. */
  readonly changedAtMs: number;
}

const fileName = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.pem$/;

/**
 * The keys of a folder in the order of their names; files that are no P-256 private key are left
 * out with a warning (one may be half written). Names that begin with a dot, such as Kubernetes
 * makes beside the keys of a mounted secret, are passed over.
 */
export async function readKeyFiles(directory: string): Promise<KeyFile[]> {
  const names = (await readdir(directory)).filter((name) => fileName.test(name)).sort();
  const keys = await Promise.all(names.map((name) => readKeyFile(join(directory, name), name)));
  return keys.filter((key) => key !== null);
}

async function readKeyFile(path: string, name: string): Promise<KeyFile | null> {
  const changedAtMs = (await stat(path).catch(() => null))?.ctimeMs ?? 0;
  try {
    const privateKey = createPrivateKey(await readFile(path, 'utf8'));
    if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new Error('not an EC key on P-256');
    return {
      kid: name.slice(0, -'.pem'.length),
      privateKey,
      publicKey: createPublicKey(privateKey),
      changedAtMs,
    };
  } catch (error) {
    warnOnce(path, changedAtMs, error);
    return null;
  }
}

const warned = new Map<string, number>();

/** The folder is read every few seconds: once for each state of a file is enough. */
function warnOnce(path: string, changedAtMs: number, error: unknown): void {
  if (warned.get(path) === changedAtMs) return;
  warned.set(path, changedAtMs);
  logger.warn({ err: error, file: path }, 'a file in the folder of signing keys is left out');
}

/** Makes the one key of a development folder, unless it is there. Processes may race: one of them wins. */
export async function ensureDevelopmentKey(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readdir(directory)).some((name) => fileName.test(name))) return;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const draft = join(directory, `.${randomUUID()}`);
  await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  try {
    // A link, other than a rename, never replaces the key that another process has begun to sign with.
    await link(draft, join(directory, 'development.pem'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
