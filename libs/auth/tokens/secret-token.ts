import { createHash, randomBytes } from 'node:crypto';

/** A token as its holder has it, and the only part of it that is stored. */
export interface SecretToken {
  readonly token: string;
  readonly hash: Buffer;
}

/** 256 random bits. So much entropy needs no slow hash: SHA-256 can't be searched (OWASP, Password Storage). */
export function newSecretToken(): SecretToken {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}

export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();
