import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import jwt from 'jsonwebtoken';
import { Strategy } from 'passport-jwt';
import { z } from 'zod';
import { CONFIG } from '../../platform/config/config.token.js';
import { publicUrlOf, type PublicUrlConfig } from '../../platform/config/public-url.js';
import type { Caller } from '../../platform/context/caller.js';
import { Unauthenticated } from '../../platform/errors/common-errors.js';
import { VerificationKeys } from './access.port.js';
import { roles, tiers } from './roles.port.js';

export const accessTokenAudience = 'task-api';
/** `typ` of RFC 9068: no other kind of token, signed by the same key, passes for an access token. */
export const accessTokenType = 'at+jwt';

/** Claims of an access token; `auth_time` as in OpenID Connect. */
const accessTokenClaims = z.object({
  sub: z.uuid(),
  sid: z.uuid(),
  role: z.enum(roles),
  tier: z.enum(tiers),
  auth_time: z.int(),
  iat: z.int(),
  exp: z.int(),
});

/** The caller of a verified token. */
export interface TokenCaller extends Caller {
  /** Milliseconds of Unix time. */
  readonly tokenExpiresAt: number;
}

/** Verifies the bearer token: ES256 by a known key, issuer, audience, type, time. Not whether its session is still active. */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(Strategy, 'access-token') {
  constructor(@Inject(CONFIG) config: PublicUrlConfig, keys: VerificationKeys) {
    super({
      jwtFromRequest: ({ headers }: Pick<FastifyRequest, 'headers'>) => bearerTokenOf(headers.authorization),
      secretOrKeyProvider: (
        _request: unknown,
        token: string,
        done: (error: Error | null, key?: string) => void,
      ) => {
        const header = headerOf(token);
        const kid = header?.typ === accessTokenType ? header.kid : undefined;
        const pem = kid === undefined ? null : keys.findPem(kid);
        if (pem === null) done(new InvalidAccessToken());
        else done(null, pem);
      },
      algorithms: ['ES256'],
      issuer: publicUrlOf(config),
      audience: accessTokenAudience,
    });
  }

  /** Called by passport with the payload of a token whose signature is valid. */
  validate(payload: unknown): TokenCaller {
    const claims = accessTokenClaims.safeParse(payload);
    if (!claims.success) throw new InvalidAccessToken();
    const { sub, sid, role, tier, auth_time, exp } = claims.data;
    const authenticatedAt = new Date(auth_time * 1000);
    return { userId: sub, sessionId: sid, role, tier, authenticatedAt, tokenExpiresAt: exp * 1000 };
  }
}

export class InvalidAccessToken extends Unauthenticated {
  constructor() {
    super('The access token is not one of ours.', 'invalid_token');
  }
}

/** The user has logged out, changed the password, or was logged out. */
export class SessionEnded extends Unauthenticated {
  constructor() {
    super('The session of this token has ended.', 'invalid_token');
  }
}

/** By RFC 6750, in one pass: passport-jwt's own pattern takes 0.3 s for 16 KiB without a blank. */
export function bearerTokenOf(authorization: string | undefined): string | null {
  return /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** Of a token that is not verified yet: `decode` throws where it is of the type JWT and its payload is no JSON. */
function headerOf(token: string): jwt.JwtHeader | null {
  try {
    return jwt.decode(token, { complete: true })?.header ?? null;
  } catch {
    return null;
  }
}
