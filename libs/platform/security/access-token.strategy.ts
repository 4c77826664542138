import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import jwt from 'jsonwebtoken';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Unauthenticated } from '../errors/common-errors.js';
import { PLATFORM_CONFIG, type PlatformConfig } from '../config/platform-variables.js';
import type { Principal } from './principal.js';
import { VerificationKeys } from './security.ports.js';

export const accessTokenAudience = 'task-api';
/** `typ` of RFC 9068: no other kind of token, signed by the same key, passes for an access token. */
export const accessTokenType = 'at+jwt';

/** Claims of an access token; `auth_time` as in OpenID Connect. */
export const accessTokenClaims = z.object({
  sub: z.uuid(),
  sid: z.uuid(),
  role: z.enum(['user', 'admin']),
  tier: z.enum(['free', 'premium']),
  auth_time: z.int(),
  iat: z.int(),
  exp: z.int(),
});

/** What a good signature vouches for. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly kid: string;
  /** Milliseconds of Unix time. */
  readonly expiresAt: number;
}

/** Verifies the bearer token: ES256 by a known key, issuer, audience, type, time. Not whether its session still stands. */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(Strategy, 'access-token') {
  constructor(@Inject(PLATFORM_CONFIG) config: Pick<PlatformConfig, 'PUBLIC_URL'>, keys: VerificationKeys) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (
        _request: unknown,
        token: string,
        done: (error: Error | null, key?: string) => void,
      ) => {
        const header = jwt.decode(token, { complete: true })?.header;
        const key =
          header?.typ === accessTokenType && header.kid !== undefined ? keys.find(header.kid) : null;
        if (key === null) done(new Unauthenticated('The access token is not one of ours.', 'invalid_token'));
        // passport-jwt's types know no KeyObject; jsonwebtoken, to which it goes, takes one.
        else done(null, key as unknown as string);
      },
      passReqToCallback: true,
      algorithms: ['ES256'],
      issuer: config.PUBLIC_URL,
      audience: accessTokenAudience,
    });
  }

  /** Called by passport with the request and the payload of a token whose signature is good. */
  validate(request: FastifyRequest, payload: unknown): VerifiedToken {
    const claims = accessTokenClaims.safeParse(payload);
    const token = ExtractJwt.fromAuthHeaderAsBearerToken()(request);
    const kid = token === null ? undefined : jwt.decode(token, { complete: true })?.header.kid;
    if (!claims.success || kid === undefined)
      throw new Unauthenticated('The access token is not one of ours.', 'invalid_token');
    const { sub, sid, role, tier, auth_time, exp } = claims.data;
    const authenticatedAt = new Date(auth_time * 1000);
    return {
      principal: { userId: sub, sessionId: sid, role, tier, authenticatedAt },
      kid,
      expiresAt: exp * 1000,
    };
  }
}
