import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import { Caches } from './cache/caches.js';
import { CONFIG } from './config/config.token.js';
import type { ProcessConfig } from './config/process.config.js';
import { Consistency } from './consistency/consistency.js';
import { ConsistencyTokens } from './consistency/consistency-token.js';
import type { DataPath } from './data-path.js';
import { DatabaseFactory } from './database/database.js';
import { PendingEvents } from './events/pending-events.js';
import { Health } from './lifecycle/health.js';
import { FileMailer } from './mail/file-mailer.js';
import type { MailConfig } from './mail/mail.config.js';
import { Mailer } from './mail/mailer.port.js';
import { SmtpMailer } from './mail/smtp-mailer.js';
import { Metrics } from './metrics/metrics.js';
import { RateLimiter } from './throttling/rate-limiter.js';

export interface PlatformOptions {
  /** All variables of the process; each user injects the part that it reads. */
  readonly config: ProcessConfig & MailConfig;
  readonly path: DataPath;
  readonly metrics: Metrics;
  readonly health: Health;
}

/** What all features of a process share. The app opens the data path first, and migrates where it should. */
@Module({})
export class PlatformModule {
  static register({ config, path, metrics, health }: PlatformOptions): DynamicModule {
    const shared = [
      { provide: CONFIG, useValue: config },
      { provide: Metrics, useValue: metrics },
      { provide: Health, useValue: health },
      { provide: DatabaseFactory, useValue: path.databases },
      { provide: Consistency, useValue: path.consistency },
      { provide: ConsistencyTokens, useValue: path.tokens },
      { provide: Caches, useValue: path.caches },
      { provide: RateLimiter, useValue: path.limiter },
      { provide: Mailer, useFactory: () => createMailer(config) },
      { provide: PendingEvents, useFactory: () => new PendingEvents(metrics) },
    ];
    return {
      module: PlatformModule,
      global: true,
      providers: shared,
      exports: shared.map(({ provide }) => provide),
    };
  }
}

function createMailer(config: ProcessConfig & MailConfig): Mailer {
  const { SMTP_URL, MAIL_FROM = 'Task API <no-reply@localhost>' } = config;
  if (SMTP_URL !== undefined) return new SmtpMailer(SMTP_URL, MAIL_FROM, config.SMTP_REQUIRE_TLS);
  return new FileMailer(config.MAIL_DIR ?? join(config.DATA_DIR, 'mail'));
}
