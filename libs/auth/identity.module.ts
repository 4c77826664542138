import { Module, type DynamicModule } from '@nestjs/common';
import { featureDatabase } from '../platform/database/feature-database.js';
import { SessionRegistry, VerificationKeys } from '../platform/security/security.ports.js';
import { AccountsPort } from './accounts.port.js';
import { AccountsService } from './accounts.service.js';
import { AUTH_CONFIG, type AuthConfig } from './auth.config.js';
import { SessionsService } from './sessions/sessions.service.js';
import { keyRingProvider } from './tokens/key-ring.provider.js';
import { KeyRing } from './tokens/key-ring.js';

/** AccountsService, sessions and signing keys, with the ports to them. It needs no other feature, so no cycle arises. */
@Module({})
export class IdentityModule {
  static register(config: AuthConfig): DynamicModule {
    return {
      module: IdentityModule,
      providers: [
        { provide: AUTH_CONFIG, useValue: config },
        featureDatabase('auth'),
        keyRingProvider,
        { provide: VerificationKeys, useExisting: KeyRing },
        SessionsService,
        { provide: SessionRegistry, useExisting: SessionsService },
        AccountsService,
        { provide: AccountsPort, useExisting: AccountsService },
      ],
      exports: [VerificationKeys, KeyRing, SessionRegistry, SessionsService, AccountsPort, AccountsService],
    };
  }
}
