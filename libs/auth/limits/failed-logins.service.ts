import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { RateLimiter } from '../../platform/throttling/rate-limiter.js';
import { InvalidCredentials, InvalidPassword } from '../auth.errors.js';
import { AuthRateLimits } from './auth-rate-limits.js';

/** Limits guesses of an account's password, from any number of addresses. */
@Injectable()
export class FailedLoginsService {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly limits: AuthRateLimits,
  ) {}

  /**
   * Runs one attempt to give the password of `email`, known or not: to log in, or again within a session. It is counted before
   * and given back unless it was wrong, so that guesses made at the same time can not exceed the limit.
   *
   * @throws RateLimited where there were too many, whatever the password
   */
  async counting<T>(email: string, attempt: () => Promise<T>): Promise<T> {
    const subject = `{login:${createHash('sha256').update(email).digest('base64url')}}`;
    await this.limiter.require(this.limits.failedLogins, subject);
    let isWrong = false;
    try {
      return await attempt();
    } catch (error) {
      isWrong = error instanceof InvalidCredentials || error instanceof InvalidPassword;
      throw error;
    } finally {
      if (!isWrong) await this.limiter.refund(this.limits.failedLogins, subject);
    }
  }
}
