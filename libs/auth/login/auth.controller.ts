import { Body, Controller, Post } from '@nestjs/common';
import { credentialsLimit } from '../limits/auth-rate-limits.js';
import {
  Problems,
  Public,
  RateLimit,
  Returns,
  ReturnsNothing,
  Summary,
  Writes,
} from '../../platform/http/endpoint.js';
import { CurrentUser } from '../../platform/http/call-adapter.js';
import type { Caller } from '../../platform/context/caller.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { Client } from '../sessions/client.decorator.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { refreshSchema, tokensSchema, type Refresh } from '../tokens/tokens.schemas.js';
import { loginSchema, type LoginInput } from './login.schemas.js';
import { LoginService } from './login.service.js';
import { RefreshService } from './refresh.service.js';

@Controller('/v1/auth')
export class AuthController {
  constructor(
    private readonly logins: LoginService,
    private readonly refreshes: RefreshService,
    private readonly sessions: SessionsService,
  ) {}

  @Post('login')
  @Public()
  @Summary('Log in')
  @Returns(200, tokensSchema)
  @Problems(401)
  @RateLimit(credentialsLimit)
  login(@Body({ schema: loginSchema }) body: LoginInput, @Client() client: ClientInfo) {
    return this.logins.login(body, client);
  }

  @Post('refresh')
  @Public()
  @Summary(
    'Exchange a refresh token',
    'Each refresh token works once. One that was exchanged in the last 10 seconds is 409 `refresh_superseded`: ' +
      'another request of yours was faster. Later it is 401 `token_reused`, and its session is over.',
  )
  @Returns(200, tokensSchema)
  @Problems(401, 409)
  refresh(@Body({ schema: refreshSchema }) body: Refresh, @Client() client: ClientInfo) {
    return this.refreshes.refresh(body.refresh_token, client);
  }

  @Post('logout')
  @Summary('End this session')
  @ReturnsNothing(204)
  @Writes()
  async logout(@CurrentUser() { userId, sessionId }: Caller): Promise<void> {
    await this.sessions.end(userId, sessionId);
  }

  @Post('logout-all')
  @Summary('End all your sessions')
  @ReturnsNothing(204)
  @Writes()
  logoutAll(@CurrentUser() { userId }: Caller): Promise<void> {
    return this.sessions.revokeAll(userId);
  }
}
