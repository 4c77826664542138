import type { PlatformConfig } from '../platform.config.js';
import type { Principal } from '../security/principal.js';
import { announcePolicy, type Policy } from './rate-limiter.js';

type LimitConfig = Pick<
  PlatformConfig,
  | 'RATE_LIMIT_WINDOW_SECONDS'
  | 'RATE_LIMIT_BLOCK_SECONDS'
  | 'RATE_LIMIT_FREE_POINTS'
  | 'RATE_LIMIT_PREMIUM_POINTS'
  | 'RATE_LIMIT_ANONYMOUS_POINTS'
  | 'RATE_LIMIT_CREDENTIALS_POINTS'
  | 'RATE_LIMIT_FAILED_LOGIN_POINTS'
  | 'RATE_LIMIT_REFRESH_POINTS'
>;

const minuteMs = 60_000;

/** The limits of the service, by configuration. */
export class Policies {
  readonly free: Policy;
  readonly premium: Policy;
  readonly anonymous: Policy;
  /** Of what makes an account, logs in or sends a mail, by IP. */
  readonly credentials: Policy;
  /** Of an e-mail, known or not. */
  readonly failedLogins: Policy;
  /** Of a family of refresh tokens. */
  readonly refreshes: Policy;

  constructor(config: LimitConfig) {
    const blockMs = config.RATE_LIMIT_BLOCK_SECONDS * 1000;
    const window = { windowMs: config.RATE_LIMIT_WINDOW_SECONDS * 1000, blockMs };
    const minute = { windowMs: minuteMs, blockMs };
    this.free = { name: 'user', points: config.RATE_LIMIT_FREE_POINTS, ...window };
    this.premium = { name: 'user', points: config.RATE_LIMIT_PREMIUM_POINTS, ...window };
    this.anonymous = { name: 'ip', points: config.RATE_LIMIT_ANONYMOUS_POINTS, ...window };
    this.credentials = { name: 'credentials', points: config.RATE_LIMIT_CREDENTIALS_POINTS, ...minute };
    this.failedLogins = { name: 'failed-logins', points: config.RATE_LIMIT_FAILED_LOGIN_POINTS, ...window };
    this.refreshes = { name: 'refreshes', points: config.RATE_LIMIT_REFRESH_POINTS, ...minute };
    const { free, anonymous, credentials, failedLogins, refreshes } = this;
    for (const { name } of [free, anonymous, credentials, failedLogins, refreshes]) announcePolicy(name);
  }

  of(principal: Principal | undefined): Policy {
    if (principal === undefined) return this.anonymous;
    return principal.tier === 'premium' ? this.premium : this.free;
  }
}
