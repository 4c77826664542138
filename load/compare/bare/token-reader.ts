import { createPublicKey, verify, type KeyObject } from 'node:crypto';

interface Claims {
  readonly sub: string;
  readonly exp: number;
}

class Unauthorized extends Error {
  readonly statusCode = 401;
}

/** Verifies access tokens (ES256), each once: after that its bytes are known. */
export class TokenReader {
  private readonly known = new Map<string, Claims>();
  private readonly key: KeyObject;

  constructor(publicKey: string) {
    this.key = createPublicKey(publicKey);
  }

  /** The user of the header `authorization`. @throws Unauthorized if it has no valid token */
  userOf(authorization: string): string {
    const { sub, exp } = this.known.get(authorization) ?? this.read(authorization);
    if (exp * 1000 < Date.now()) throw new Unauthorized();
    return sub;
  }

  private read(authorization: string): Claims {
    const [header = '', payload = '', signature = ''] = authorization.slice('Bearer '.length).split('.');
    const key = { key: this.key, dsaEncoding: 'ieee-p1363' } as const;
    const signed = Buffer.from(`${header}.${payload}`);
    if (!verify('sha256', signed, key, Buffer.from(signature, 'base64url'))) throw new Unauthorized();
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
    this.known.set(authorization, claims);
    return claims;
  }
}
