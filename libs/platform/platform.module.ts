import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import { Caches } from './cache/caches.js';
import { PLATFORM_CONFIG, type PlatformConfig } from './platform.config.js';
import { ConsistencyTokens } from './consistency/consistency-token.js';
import { Consistency } from './consistency/consistency.js';
import type { DataPath } from './data-path.js';
import { DatabaseFactory } from './database/database.js';
import { EventBus } from './events/event-bus.js';
import { EndpointInterceptor } from './http/endpoint.interceptor.js';
import { FileMailer } from './mail/file-mailer.js';
import { Mailer } from './mail/mailer.port.js';
import { SmtpMailer } from './mail/smtp-mailer.js';
import { Health } from './lifecycle/health.js';
import { HealthzController } from './operations/healthz.controller.js';
import { Sweeper } from './sweeper/sweeper.js';
import { Policies } from './throttling/policies.js';
import { RateLimiter } from './throttling/rate-limiter.js';

/** What every feature of a process shares. The app opens the data path first, and migrates where it should. */
@Module({})
export class PlatformModule {
  static register(config: PlatformConfig, path: DataPath, health: Health): DynamicModule {
    const shared = [
      { provide: PLATFORM_CONFIG, useValue: config },
      { provide: DatabaseFactory, useValue: path.databases },
      { provide: Consistency, useValue: path.consistency },
      { provide: ConsistencyTokens, useValue: path.tokens },
      { provide: Caches, useValue: path.caches },
      { provide: RateLimiter, useValue: path.limiter },
      { provide: Policies, useValue: path.policies },
      { provide: Mailer, useFactory: () => createMailer(config) },
      EventBus,
      Sweeper,
    ];
    return {
      module: PlatformModule,
      global: true,
      controllers: [HealthzController],
      providers: [...shared, { provide: Health, useValue: health }, EndpointInterceptor],
      exports: shared.map((provider) => ('provide' in provider ? provider.provide : provider)),
    };
  }
}

function createMailer(config: PlatformConfig): Mailer {
  const { SMTP_URL, MAIL_FROM = 'Task API <no-reply@localhost>' } = config;
  if (SMTP_URL !== undefined) return new SmtpMailer(SMTP_URL, MAIL_FROM);
  return new FileMailer(config.MAIL_DIR ?? join(config.DATA_DIR, 'mail'));
}
