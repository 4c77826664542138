import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, type Resolvable, type ThrottlerOptions } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { addressOf } from './client-address.js';
import { networkOf } from '../throttling/network.js';
import { RateLimited } from '../throttling/rate-limited.error.js';
import { userSubject } from '../throttling/rate-limiter.js';

/**
 * The throttler's guard: counts each call of a user or, without a valid token, of an IP, over all routes together. Which of
 * its throttlers count a route is found out once: to look at all of them for each call takes longer than to count it.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  private readonly counting = new WeakMap<object, readonly ThrottlerOptions[]>();

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    for (const throttler of this.throttlersOf(context)) {
      const { isBlocked, timeToBlockExpire } = await this.storageService.increment(
        trackerOf(throttler, context),
        numberOf(throttler.ttl, context),
        numberOf(throttler.limit, context),
        numberOf(throttler.blockDuration ?? throttler.ttl, context),
        throttler.name ?? '',
      );
      if (isBlocked) throw new RateLimited(timeToBlockExpire * 1000);
    }
    return true;
  }

  private throttlersOf(context: ExecutionContext): readonly ThrottlerOptions[] {
    const handler = context.getHandler();
    const known = this.counting.get(handler);
    if (known !== undefined) return known;
    // By the declarations of the route alone, see `ThrottlingModule`.
    const counting = this.throttlers.filter(({ skipIf }) => skipIf?.(context) !== true);
    this.counting.set(handler, counting);
    return counting;
  }
}

function trackerOf({ getTracker }: ThrottlerOptions, context: ExecutionContext): string {
  const found = getTracker?.(context.getArgByIndex(0), context);
  if (typeof found !== 'string') throw new Error('Who is counted is known at once.');
  return found;
}

function numberOf(value: Resolvable<number>, context: ExecutionContext): number {
  const found = typeof value === 'function' ? value(context) : value;
  if (typeof found !== 'number') throw new Error('Limits are known at once.');
  return found;
}

/** Who is counted: the user, or the IP of a call without a valid token. */
export const subjectOf = (request: FastifyRequest): string =>
  request.user === undefined ? ipSubject(request) : userSubject(request.user.userId);

export const ipSubject = (request: FastifyRequest): string => `{ip:${networkOf(addressOf(request))}}`;
