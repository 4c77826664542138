import { Injectable, type ExecutionContext } from '@nestjs/common';
import { normalizeIp, ThrottlerGuard, type ThrottlerLimitDetail } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { RateLimited } from '../throttling/rate-limited.error.js';
import { userSubject } from '../throttling/rate-limiter.js';

/** The throttler's guard: counts each call of a user or, without a valid token, of an IP, over all routes together. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override throwThrottlingException(
    _context: ExecutionContext,
    { timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    throw new RateLimited(timeToBlockExpire * 1000);
  }
}

/** Who is counted: the user, or the IP of a call without a valid token. */
export const subjectOf = (request: FastifyRequest): string =>
  request.user === undefined ? ipSubject(request) : userSubject(request.user.userId);

/** IPv6 by /64: whoever has one address has all of these. */
export const ipSubject = ({ ip }: Pick<FastifyRequest, 'ip'>): string =>
  `{ip:${normalizeIp(withoutPort(ip))}}`;

/** Some gateways forward `1.2.3.4:5678` and `[::1]:5678`: each port would count as a client. */
const withoutPort = (address: string): string =>
  /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address)?.[1] ?? /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? address;
