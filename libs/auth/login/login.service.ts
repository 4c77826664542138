import { Injectable } from '@nestjs/common';
import { UsersPort } from '../../users/users.port.js';
import { InvalidCredentials } from '../auth.errors.js';
import { FailedLoginsService } from '../limits/failed-logins.service.js';
import { PasswordCheckService } from '../passwords/password-check.service.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { SessionOpeningService } from '../sessions/session-opening.service.js';
import { AccessTokensService } from '../tokens/access-tokens.service.js';
import { newSecretToken } from '../tokens/secret-token.js';
import type { TokensView } from '../tokens/tokens.schemas.js';
import { LoginMetrics } from './login-metrics.js';
import type { LoginInput } from './login.schemas.js';

@Injectable()
export class LoginService {
  constructor(
    private readonly passwords: PasswordCheckService,
    private readonly sessions: SessionOpeningService,
    private readonly users: UsersPort,
    private readonly accessTokens: AccessTokensService,
    private readonly failures: FailedLoginsService,
    private readonly metrics: LoginMetrics,
  ) {}

  /** @throws InvalidCredentials, RateLimited, ServiceUnavailable where too many passwords wait */
  login(input: LoginInput, client: ClientInfo): Promise<TokensView> {
    return this.metrics.count(async () => {
      // Before it is counted, which takes two round trips to Redis.
      this.passwords.requireRoom();
      return this.failures.counting({ email: input.email, client, sessionId: null }, () =>
        this.attempt(input, client),
      );
    });
  }

  private async attempt({ email, password }: LoginInput, client: ClientInfo): Promise<TokensView> {
    const refreshToken = newSecretToken();
    const open = async () => {
      const credentials = await this.passwords.findAccount(email, password);
      if (credentials === null) throw new InvalidCredentials();
      return this.sessions.open(credentials, refreshToken.hash, client);
    };
    // The first is null where the hash was replaced meanwhile: perhaps by another login of the same password, after the
    // parameters were raised.
    const grant = (await open()) ?? (await open());
    if (grant === null) throw new InvalidCredentials();
    // Read once the session is there: a change of role after this reading finds the session and ends it.
    const claims = await this.users.claimsOf(grant.userId);
    return this.accessTokens.issue(grant, claims, refreshToken.token);
  }
}
