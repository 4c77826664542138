import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessTokenGuard } from './access-token.guard.js';
import { RateLimitGuard } from '../throttling/rate-limit.guard.js';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { SessionGuard } from './session.guard.js';

/** Guards every route of the process. `identity` is the module that exports the security ports. */
@Module({})
export class SecurityModule {
  static register(options: { identity: NonNullable<ModuleMetadata['imports']>[number] }): DynamicModule {
    return {
      module: SecurityModule,
      imports: [options.identity, ThrottlingModule.register()],
      providers: [
        AccessTokenStrategy,
        // In this order: whose token it is, whether the call is within its limit, whether the session stands.
        { provide: APP_GUARD, useClass: AccessTokenGuard },
        { provide: APP_GUARD, useClass: RateLimitGuard },
        { provide: APP_GUARD, useClass: SessionGuard },
      ],
    };
  }
}
