import { Module, type DynamicModule, type ModuleMetadata, type OnModuleInit } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { featureDatabase } from '../platform/database/feature-database.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Outbox } from '../platform/events/outbox.js';
import { Sweeper } from '../platform/sweeper/sweeper.js';
import { AUTH_CONFIG, type AuthConfig } from './auth.config.js';
import { AuthEventHandlers } from './auth.event-handlers.js';
import { AuthExport } from './auth.export.js';
import { authSweeps } from './auth.sweeps.js';
import { AuthController } from './login/auth.controller.js';
import { FailedLoginsService } from './login/failed-logins.service.js';
import { LoginService } from './login/login.service.js';
import { RefreshService } from './login/refresh.service.js';
import { MailDeliveryService } from './mails/mail-delivery.service.js';
import { MailRequestsService } from './mails/mail-requests.service.js';
import { MailTokensService } from './mails/mail-tokens.service.js';
import { PasswordChangeService } from './passwords/password-change.service.js';
import { PasswordCheckService } from './passwords/password-check.service.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { PasswordResetService } from './passwords/password-reset.service.js';
import { PasswordController } from './passwords/password.controller.js';
import { RegistrationController } from './registration/registration.controller.js';
import { RegistrationService } from './registration/registration.service.js';
import { VerificationService } from './registration/verification.service.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionsExport } from './sessions/sessions.export.js';
import { AccessTokensService } from './tokens/access-tokens.service.js';
import { JwksController } from './tokens/jwks.controller.js';
import { RefreshTokensService } from './tokens/refresh-tokens.service.js';

type Import = NonNullable<ModuleMetadata['imports']>[number];

export interface AuthModuleOptions {
  readonly config: AuthConfig;
  /** Exports `UsersPort`. */
  readonly users: Import;
  /** The one instance that `IdentityModule.register` gave this process. */
  readonly identity: Import;
}

const flows = [
  ...[RegistrationService, VerificationService, LoginService, FailedLoginsService, RefreshService],
  ...[PasswordHasher, PasswordCheckService, PasswordResetService, PasswordChangeService],
  ...[
    MailRequestsService,
    MailTokensService,
    MailDeliveryService,
    RefreshTokensService,
    AccessTokensService,
    AuthEventHandlers,
  ],
  ...[AuthExport, SessionsExport],
];

/** Everything that a person does to get in, stay in and get out. */
@Module({})
export class AuthModule implements OnModuleInit {
  constructor(private readonly sweeper: Sweeper) {}

  static register({ config, users, identity }: AuthModuleOptions): DynamicModule {
    return {
      module: AuthModule,
      imports: [identity, users],
      controllers: [
        RegistrationController,
        AuthController,
        PasswordController,
        SessionsController,
        JwksController,
      ],
      providers: [
        { provide: AUTH_CONFIG, useValue: config },
        featureDatabase('auth'),
        {
          provide: Outbox,
          useFactory: (database: Database, bus: EventBus) => new Outbox(database, 'auth', bus),
          inject: [Database, EventBus],
        },
        ...flows,
      ],
      exports: [AuthExport, SessionsExport],
    };
  }

  onModuleInit(): void {
    this.sweeper.register(...authSweeps);
  }
}
