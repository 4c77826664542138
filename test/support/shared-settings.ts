import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The settings that all processes of one service share: issuer and signing key of access tokens, and other keys. Writes the signing key into `folder`. */
export async function sharedSettings(folder: string): Promise<Readonly<Record<string, string>>> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return {
    PUBLIC_URL: 'http://api.example.com',
    JWT_KEYS_DIR: folder,
    CONSISTENCY_TOKEN_KEY: randomBytes(32).toString('hex'),
  };
}
