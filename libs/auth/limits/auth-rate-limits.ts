import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '../../platform/config/config.token.js';
import type { Caller } from '../../platform/context/caller.js';
import { RateLimitPolicies, type Policy } from '../../platform/throttling/policy.js';
import type { Tier } from '../access/roles.port.js';
import type { LimitsConfig } from './limits.config.js';

const minuteMs = 60_000;

/** Name of the limit of routes that make an account, log in or send a mail. */
export const credentialsLimit = 'credentials';

/** The limits of the service, by configuration. */
@Injectable()
export class AuthRateLimits extends RateLimitPolicies {
  readonly all: readonly Policy[];
  readonly byRoute: readonly Policy[];
  /** Of an e-mail, known or not, from one network. Without a block, which would begin the count anew when it ends. */
  readonly failedLogins: Policy;
  /** Of an e-mail from all networks together. */
  readonly failedLoginsOfEmail: Policy;
  /** Of a family of refresh tokens. */
  readonly refreshes: Policy;
  private readonly byTier: Readonly<Record<Tier, Policy>>;
  private readonly anonymous: Policy;

  constructor(@Inject(CONFIG) config: LimitsConfig) {
    super();
    const blockMs = config.RATE_LIMIT_BLOCK_SECONDS * 1000;
    const window = { windowMs: config.RATE_LIMIT_WINDOW_SECONDS * 1000, blockMs };
    const minute = { windowMs: minuteMs, blockMs };
    this.byTier = {
      free: { name: 'user', points: config.RATE_LIMIT_FREE_POINTS, ...window },
      premium: { name: 'user', points: config.RATE_LIMIT_PREMIUM_POINTS, ...window },
    };
    this.anonymous = { name: 'ip', points: config.RATE_LIMIT_ANONYMOUS_POINTS, ...window };
    const failed = { windowMs: window.windowMs, blockMs: 0 };
    this.failedLogins = { name: 'failed-logins', points: config.RATE_LIMIT_FAILED_LOGIN_POINTS, ...failed };
    this.failedLoginsOfEmail = {
      ...{ name: 'failed-logins-of-email', points: config.RATE_LIMIT_FAILED_LOGIN_EMAIL_POINTS, ...failed },
    };
    this.refreshes = { name: 'refreshes', points: config.RATE_LIMIT_REFRESH_POINTS, ...minute };
    this.byRoute = [{ name: credentialsLimit, points: config.RATE_LIMIT_CREDENTIALS_POINTS, ...minute }];
    this.all = [
      ...[this.byTier.free, this.anonymous, this.refreshes],
      ...[this.failedLogins, this.failedLoginsOfEmail],
    ];
  }

  policyOf(caller: Caller | null): Policy {
    if (caller === null) return this.anonymous;
    return caller.tier === 'premium' ? this.byTier.premium : this.byTier.free;
  }
}
