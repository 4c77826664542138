import { Injectable } from '@nestjs/common';
import { logger } from '../../platform/logging/logger.js';
import { AuthRateLimits } from '../limits/auth-rate-limits.js';
import { RateLimiter } from '../../platform/throttling/rate-limiter.js';
import { UsersPort } from '../../users/users.port.js';
import { InvalidRefreshToken, RefreshSuperseded, RefreshTokenReused } from '../auth.errors.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { AccessTokensService } from '../tokens/access-tokens.service.js';
import { RefreshTokensService, type Rotation } from '../tokens/refresh-tokens.service.js';
import { hashToken, newSecretToken } from '../tokens/secret-token.js';
import type { TokensView } from '../tokens/tokens.schemas.js';

@Injectable()
export class RefreshService {
  constructor(
    private readonly refreshTokens: RefreshTokensService,
    private readonly users: UsersPort,
    private readonly accessTokens: AccessTokensService,
    private readonly limiter: RateLimiter,
    private readonly limits: AuthRateLimits,
  ) {}

  /**
   * Exchanges a refresh token for a new one and an access token with the user's role and tier of now.
   *
   * @throws RateLimited, RefreshSuperseded, RefreshTokenReused (the session is then over), InvalidRefreshToken
   */
  async refresh(refreshToken: string, { ip }: ClientInfo): Promise<TokensView> {
    const current = hashToken(refreshToken);
    const session = await this.refreshTokens.findSession(current);
    if (session === null) throw refusal(await this.refreshTokens.refuse(current));
    const { userId, sessionId } = session;
    await this.limiter.require(this.limits.refreshes, `{session:${sessionId}}`);
    // Before the rotation, so that a failure here costs the client nothing. Whoever changes them ends the session
    // afterwards, and then the rotation below finds none.
    const claims = await this.users.claimsOf(userId);
    const next = newSecretToken();
    const rotation = await this.refreshTokens.exchange(userId, current, next.hash, ip);
    if (rotation.outcome !== 'rotated') throw refusal(rotation);
    return this.accessTokens.issue(rotation.grant, claims, next.token);
  }
}

function refusal(rotation: Rotation): Error {
  switch (rotation.outcome) {
    case 'superseded':
      return new RefreshSuperseded();
    case 'reused':
      logger.warn(
        { session_id: rotation.sessionId, user_id: rotation.userId },
        'a refresh token was used again: its session was ended',
      );
      return new RefreshTokenReused();
    case 'unknown':
    case 'rotated':
      return new InvalidRefreshToken();
  }
}
