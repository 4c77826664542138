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
  /** The public key as PEM (SPKI). */
  readonly publicPem: string;
  /** When the file came to be. Unlike its modification time, no copying tool can set this one back. */
  readonly changedAtMs: number;
  /** When the key was made, where its name says so; null where it does not. */
  readonly madeAtMs: number | null;
}

const fileName = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.pem$/;
/** A moment as a name: RFC 3339 in UTC, with hyphens because a key of a Kubernetes Secret holds no colon. */
const momentName = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z$/;

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
    const kid = name.slice(0, -'.pem'.length);
    const publicKey = createPublicKey(privateKey);
    return {
      kid,
      privateKey,
      publicKey,
      publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      changedAtMs,
      madeAtMs: momentOf(kid),
    };
  } catch (error) {
    warnOnce(path, changedAtMs, error);
    return null;
  }
}

function momentOf(kid: string): number | null {
  const [, day, hour, minute, second] = momentName.exec(kid) ?? [];
  const ms = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? null : ms;
}

const warned = new Map<string, number>();

/** The folder is read every few seconds: once for each state of a file is enough. */
function warnOnce(path: string, changedAtMs: number, error: unknown): void {
  if (warned.get(path) === changedAtMs) return;
  warned.set(path, changedAtMs);
  logger.warn({ err: error, file: path }, 'a file in the folder of signing keys is left out');
}

/** A new key, and the name of its file, which tells when it was made. */
export function newSigningKey(now: Date): { readonly fileName: string; readonly pem: string } {
  const kid = `${now.toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
  return { fileName: `${kid}.pem`, pem: newPem() };
}

function newPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Makes the one key of a development folder, unless it is there. Processes may race: one of them wins. */
export async function ensureDevelopmentKey(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readdir(directory)).some((name) => fileName.test(name))) return;
  const draft = join(directory, `.${randomUUID()}`);
  await writeFile(draft, newPem(), { mode: 0o600, flag: 'wx' });
  try {
    // A link, other than a rename, never replaces the key that another process has begun to sign with.
    await link(draft, join(directory, 'development.pem'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
