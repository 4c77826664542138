import { Module, type CanActivate, type DynamicModule } from '@nestjs/common';
import { Caches } from '../../platform/cache/caches.js';
import { EARLY_GUARDS, ENDPOINT_GUARDS } from '../../platform/http/http-application.js';
import { RateLimitGuard } from '../../platform/http/rate-limit.guard.js';
import { ThrottlingModule } from '../../platform/http/throttling.module.js';
import { AccessTokenGuard, AuthenticationGuard } from './access-token.guard.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { EndedSessions } from './ended-sessions.js';
import { sessionEnds, SessionGuard } from './session.guard.js';

/** Guards every route of the process. It needs the ports `VerificationKeys`, `SessionRegistry` and `RateLimitPolicies`. */
@Module({})
export class AccessModule {
  static register(): DynamicModule {
    return {
      module: AccessModule,
      imports: [ThrottlingModule.register()],
      providers: [
        AccessTokenStrategy,
        AccessTokenGuard,
        { provide: sessionEnds.token, useFactory: sessionEnds.open, inject: [Caches] },
        // Before the body is read: who calls, and whether the call is within its limits.
        {
          provide: EARLY_GUARDS,
          useFactory: (...guards: readonly CanActivate[]) => guards,
          inject: [AccessTokenGuard, RateLimitGuard],
        },
        EndedSessions,
        AuthenticationGuard,
        SessionGuard,
        // After it: whether the call has a valid token, and whether its session is active.
        {
          provide: ENDPOINT_GUARDS,
          useFactory: (...guards: readonly CanActivate[]) => guards,
          inject: [AuthenticationGuard, SessionGuard],
        },
      ],
      exports: [EARLY_GUARDS, ENDPOINT_GUARDS],
    };
  }
}
