import { contribution, defineFeature } from '../platform/features/define-feature.js';
import { RateLimitPolicies } from '../platform/throttling/policy.js';
import { exportSources } from '../users/export.port.js';
import { SessionRegistry, VerificationKeys } from './access/access.port.js';
import { AccountEntity } from './account.entity.js';
import { AccountsPort } from './accounts.port.js';
import { AccountsService } from './accounts.service.js';
import { authVariables, needsSharedKeys } from './auth.config.js';
import { AuthConsumers } from './auth.consumers.js';
import { AuthExport } from './auth.export.js';
import { auth } from './auth.port.js';
import { seedAccounts } from './auth.seeder.js';
import { authSweeps } from './auth.sweeps.js';
import { AuthRateLimits } from './limits/auth-rate-limits.js';
import { AuthController } from './login/auth.controller.js';
import { FailedLoginsService } from './limits/failed-logins.service.js';
import { KnownNetworksService } from './limits/known-networks.service.js';
import { EmailChangeController } from './email-change/email-change.controller.js';
import { EmailChangeService } from './email-change/email-change.service.js';
import { LoginMetrics } from './login/login-metrics.js';
import { LoginService } from './login/login.service.js';
import { RefreshService } from './login/refresh.service.js';
import { MailDeliveryService } from './mails/mail-delivery.service.js';
import { MailRequestsService } from './mails/mail-requests.service.js';
import { MailTokensService } from './mails/mail-tokens.service.js';
import { CreateAuth1764000000000 } from './migrations/1764000000000-create-auth.js';
import { AddAuthOutboxTrace1764100000000 } from './migrations/1764100000000-add-outbox-trace.js';
import { CreateAuthInbox1764200000000 } from './migrations/1764200000000-create-inbox.js';
import { MailsAndNetworks1764300000000 } from './migrations/1764300000000-mails-and-networks.js';
import { NewPasswordService } from './passwords/new-password.service.js';
import { PasswordChangeService } from './passwords/password-change.service.js';
import { PasswordCheckService } from './passwords/password-check.service.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { PasswordStrength } from './passwords/password-strength.js';
import { PasswordRulesService } from './passwords/password-rules.service.js';
import { PasswordResetService } from './passwords/password-reset.service.js';
import { PasswordController } from './passwords/password.controller.js';
import { ReauthenticationService } from './passwords/reauthentication.service.js';
import { RegistrationController } from './registration/registration.controller.js';
import { RegistrationService } from './registration/registration.service.js';
import { VerificationService } from './registration/verification.service.js';
import { SessionEntity } from './sessions/session.entity.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionsExport } from './sessions/sessions.export.js';
import { SessionOpeningService } from './sessions/session-opening.service.js';
import { SessionsService } from './sessions/sessions.service.js';
import { AccessTokensService } from './tokens/access-tokens.service.js';
import { JwksController } from './tokens/jwks.controller.js';
import { keyRingProvider } from './tokens/key-ring.provider.js';
import { KeyRing } from './tokens/key-ring.js';
import { RefreshTokensService } from './tokens/refresh-tokens.service.js';

/** Accounts, sessions and tokens. */
export const authFeature = defineFeature({
  name: auth,
  variables: authVariables,
  rules: [needsSharedKeys],
  entities: [AccountEntity, SessionEntity],
  migrations: [
    ...[CreateAuth1764000000000, AddAuthOutboxTrace1764100000000, CreateAuthInbox1764200000000],
    MailsAndNetworks1764300000000,
  ],
  sweeps: authSweeps,
  hasOutbox: true,
  core: [AccountsService, SessionsService],
  serviceCore: [AuthRateLimits, keyRingProvider],
  ports: [
    { port: AccountsPort, by: AccountsService },
    { port: SessionRegistry, by: SessionsService },
    { port: VerificationKeys, by: KeyRing, isForServices: true },
    { port: RateLimitPolicies, by: AuthRateLimits, isForServices: true },
  ],
  controllers: [
    RegistrationController,
    AuthController,
    PasswordController,
    EmailChangeController,
    SessionsController,
    JwksController,
  ],
  consumers: [AuthConsumers],
  providers: [
    ...[RegistrationService, VerificationService, EmailChangeService],
    ...[
      LoginService,
      LoginMetrics,
      FailedLoginsService,
      KnownNetworksService,
      RefreshService,
      RefreshTokensService,
    ],
    ...[
      PasswordHasher,
      PasswordStrength,
      PasswordRulesService,
      PasswordCheckService,
      ReauthenticationService,
    ],
    ...[NewPasswordService, PasswordResetService, PasswordChangeService, SessionOpeningService],
    ...[MailRequestsService, MailTokensService, MailDeliveryService, AccessTokensService],
  ],
  contributions: [contribution(exportSources, AuthExport), contribution(exportSources, SessionsExport)],
  seed: {
    option: 'users',
    defaultCount: 10,
    help: 'users, whose password is "correct horse battery"',
    run: seedAccounts,
  },
});
