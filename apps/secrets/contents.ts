import { randomBytes } from 'node:crypto';
import { newSigningKey } from '../../libs/auth/tokens/key-files.js';

/** In hexadecimal digits, so that they stand in URLs as they are. */
const secret = () => randomBytes(32).toString('hex');

/** Passwords of a database and a Redis that are installed with the API, and what all its processes share. */
export const newCredentials = () => ({
  'postgres-superuser-password': secret(),
  'postgres-password': secret(),
  'postgres-replication-password': secret(),
  'redis-password': secret(),
  'consistency-token-key': secret(),
});

/** The folder of JWT_KEYS_DIR with its first key. */
export function newSigningKeys(): Readonly<Record<string, string>> {
  const { fileName, pem } = newSigningKey(new Date());
  return { [fileName]: pem };
}
