import { Body, Controller, Header, Post } from '@nestjs/common';
import { Endpoint, Public } from '../../platform/http/endpoint.js';
import { CurrentUser, type Principal } from '../../platform/security/principal.js';
import { Client, type ClientInfo } from '../sessions/client-info.js';
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
  @Header('cache-control', 'no-store')
  @Endpoint({ summary: 'Log in', status: 200, response: tokensSchema, problems: [401], isCredentials: true })
  login(@Body({ schema: loginSchema }) body: LoginInput, @Client() client: ClientInfo) {
    return this.logins.login(body, client);
  }

  @Post('refresh')
  @Public()
  @Header('cache-control', 'no-store')
  @Endpoint({
    summary: 'Exchange a refresh token',
    description:
      'Each refresh token works once. One that was exchanged in the last 10 seconds is 409 `refresh_superseded`: ' +
      'another request of yours was faster. Later it is 401 `token_reused`, and its session is over.',
    status: 200,
    response: tokensSchema,
    problems: [401, 409],
  })
  refresh(@Body({ schema: refreshSchema }) body: Refresh) {
    return this.refreshes.refresh(body.refresh_token);
  }

  @Post('logout')
  @Endpoint({ summary: 'End this session', status: 204, response: null, writes: 'auth' })
  async logout(@CurrentUser() { userId, sessionId }: Principal): Promise<void> {
    await this.sessions.end(userId, sessionId);
  }

  @Post('logout-all')
  @Endpoint({ summary: 'End all your sessions', status: 204, response: null, writes: 'auth' })
  logoutAll(@CurrentUser() { userId }: Principal): Promise<void> {
    return this.sessions.revokeAll(userId);
  }
}
