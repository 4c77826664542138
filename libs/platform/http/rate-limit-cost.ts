import {
  applyDecorators,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { recordLimit } from '../throttling/call-counter.js';
import { RateLimitPolicies } from '../throttling/policy.js';
import { RateLimited } from '../throttling/rate-limited.error.js';
import { RateLimiter, userSubject } from '../throttling/rate-limiter.js';
import { declareCost, endpointOf } from './endpoint.js';

/** What a call costs beyond the point that was counted before its body was read. */
@Injectable()
export class RateLimitCostGuard implements CanActivate {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly policies: RateLimitPolicies,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const cost = endpointOf(context.getClass(), context.getHandler())?.cost;
    if (cost === null || cost === undefined) return true;
    const request = context.getArgByIndex<FastifyRequest>(0);
    const more = cost(request.body) - 1;
    if (more < 1) return true;
    const { user } = request;
    if (user === undefined) throw new Error('@RateLimitCost is for routes that need an access token.');
    const policy = this.policies.policyOf(user);
    const record = await this.limiter.count(policy, userSubject(user.userId), more);
    if (request.call !== null) recordLimit(request.call, policy, record);
    if (record.blockedMs > 0) throw new RateLimited(record.blockedMs);
    return true;
  }
}

/** Points that the call counts in all, by its unchecked body. The first one is counted before the body is read. */
export const RateLimitCost = (cost: (body: unknown) => number): MethodDecorator =>
  applyDecorators(declareCost(cost), UseGuards(RateLimitCostGuard));
