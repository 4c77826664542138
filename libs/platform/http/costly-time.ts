import type { INestApplicationContext } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { RateLimitPolicies } from '../throttling/policy.js';
import { RateLimiter, userSubject } from '../throttling/rate-limiter.js';

/** Of Postgres' time, for each point. */
const msOfPoint = 100;

/**
 * Counts what a call took of Postgres by costly reads, see `CostlyReads`, against the limit of its user: a point for each 100 ms,
 * beside that of the call. The call itself is answered before; those that come after it are refused sooner.
 */
export function countCostlyTime(fastify: FastifyInstance, app: () => INestApplicationContext): void {
  fastify.addHook('onResponse', ({ call, user }, _reply, done) => {
    const points = Math.floor((call?.costlyMs ?? 0) / msOfPoint);
    if (points > 0 && user !== undefined) {
      const limiter = app().get(RateLimiter, { strict: false });
      const policy = app().get<RateLimitPolicies>(RateLimitPolicies, { strict: false }).policyOf(user);
      // Where the store is away it is counted here, and nobody waits for it.
      limiter.count(policy, userSubject(user.userId), points).catch(() => undefined);
    }
    done();
  });
}
