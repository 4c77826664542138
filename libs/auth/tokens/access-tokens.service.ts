import { publicUrlOf, type PublicUrlConfig } from '../../platform/config/public-url.js';
import { Inject, Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { accessTokenAudience, accessTokenType } from '../access/access-token.strategy.js';
import type { Role, Tier } from '../access/roles.port.js';
import { CONFIG } from '../../platform/config/config.token.js';
import type { AuthConfig } from '../auth.config.js';
import type { SessionGrant } from '../sessions/session-opening.service.js';
import type { TokensView } from './tokens.schemas.js';
import { KeyRing } from './key-ring.js';

/** Signs access tokens: ES256, `typ` at+jwt (RFC 9068). */
@Injectable()
export class AccessTokensService {
  constructor(
    private readonly keys: KeyRing,
    @Inject(CONFIG) private readonly config: Pick<AuthConfig, 'ACCESS_TOKEN_TTL_SECONDS'>,
    @Inject(CONFIG) private readonly platform: PublicUrlConfig,
  ) {}

  /** What a client gets for a login or a refresh. */
  issue(
    grant: SessionGrant,
    claims: { readonly role: Role; readonly tier: Tier },
    refreshToken: string,
  ): TokensView {
    const expiresIn = this.config.ACCESS_TOKEN_TTL_SECONDS;
    const { kid, privateKey } = this.keys.signingKey();
    const authenticatedAt = Math.floor(grant.authenticatedAt.getTime() / 1000);
    const payload = {
      sid: grant.sessionId,
      role: claims.role,
      tier: claims.tier,
      auth_time: authenticatedAt,
    };
    const accessToken = jwt.sign(payload, privateKey, {
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: accessTokenType, kid },
      subject: grant.userId,
      issuer: publicUrlOf(this.platform),
      audience: accessTokenAudience,
      expiresIn,
    });
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: expiresIn,
    };
  }
}
