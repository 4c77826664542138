import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Policy } from '../../platform/throttling/policy.js';
import { networkOf } from '../../platform/throttling/network.js';
import { RateLimited } from '../../platform/throttling/rate-limited.error.js';
import { RateLimiter } from '../../platform/throttling/rate-limiter.js';
import { InvalidCredentials, InvalidPassword } from '../auth.errors.js';
import type { ClientInfo } from '../sessions/client-info.js';
import { AuthRateLimits } from './auth-rate-limits.js';
import { KnownNetworksService } from './known-networks.service.js';

/** Whose attempt it is. */
export interface Attempt {
  /** In lower case, known or not. */
  readonly email: string;
  readonly client: ClientInfo;
  /** Within which the password is given again; null for a login. */
  readonly sessionId: string | null;
}

interface Count {
  readonly policy: Policy;
  readonly subject: string;
  /** Whether an attempt that is over it is refused. */
  readonly isBinding: () => boolean | Promise<boolean>;
}

/** Limits guesses of an account's password, so that the limit hits whoever guesses. */
@Injectable()
export class FailedLoginsService {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly limits: AuthRateLimits,
    private readonly networks: KnownNetworksService,
  ) {}

  /**
   * Runs one attempt to give the password of an account. It is counted before and given back unless it was wrong, so that guesses
   * made at the same time can not exceed a limit: that of the e-mail in the client's network, and a higher one of the e-mail alone.
   * Over the latter only networks may go on from which the user has logged in before. Within a session wrong passwords count
   * just so, but only the session's own limit refuses: others can neither lock the user out nor keep the user from a new password.
   *
   * @throws RateLimited where there were too many, whatever the password
   */
  async counting<T>(attempt: Attempt, run: () => Promise<T>): Promise<T> {
    const counted: Count[] = [];
    let isWrong = false;
    try {
      for (const count of this.countsOf(attempt)) await this.count(count, counted);
      return await run();
    } catch (error) {
      isWrong = error instanceof InvalidCredentials || error instanceof InvalidPassword;
      throw error;
    } finally {
      if (!isWrong) for (const { policy, subject } of counted) await this.limiter.refund(policy, subject);
    }
  }

  private countsOf({ email, client, sessionId }: Attempt): readonly Count[] {
    const { failedLogins, failedLoginsOfEmail } = this.limits;
    const network = networkOf(client.ip);
    const ofEmail = `{login:${createHash('sha256').update(email).digest('base64url')}}`;
    const isLogin = sessionId === null;
    const counts: Count[] = [
      { policy: failedLogins, subject: `${ofEmail}:${network}`, isBinding: () => isLogin },
      {
        ...{ policy: failedLoginsOfEmail, subject: ofEmail },
        isBinding: async () => isLogin && !(await this.networks.has(email, network)),
      },
    ];
    if (isLogin) return counts;
    return [
      { policy: failedLogins, subject: `${ofEmail}:session:${sessionId}`, isBinding: () => true },
      ...counts,
    ];
  }

  private async count(count: Count, counted: Count[]): Promise<void> {
    const { blockedMs } = await this.limiter.count(count.policy, count.subject);
    if (blockedMs === 0) counted.push(count);
    else if (await count.isBinding()) throw new RateLimited(blockedMs);
  }
}
