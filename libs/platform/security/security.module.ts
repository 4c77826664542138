import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessTokenGuard } from './access-token.guard.js';
import { AccessTokenStrategy } from './access-token.strategy.js';

/** Guards every route of the process. `identity` is the module that exports the security ports. */
@Module({})
export class SecurityModule {
  static register(options: { identity: NonNullable<ModuleMetadata['imports']>[number] }): DynamicModule {
    return {
      module: SecurityModule,
      imports: [options.identity],
      providers: [AccessTokenStrategy, { provide: APP_GUARD, useClass: AccessTokenGuard }],
    };
  }
}
