import { Module, type DynamicModule, type ExecutionContext } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { CallCounter, everyCall } from '../throttling/call-counter.js';
import { RateLimitPolicies, type Policy } from '../throttling/policy.js';
import { RateLimiter } from '../throttling/rate-limiter.js';
import { Consistency } from '../consistency/consistency.js';
import { ConsistencyTokens } from '../consistency/consistency-token.js';
import { endpointOf } from './endpoint.js';
import { ipSubject, RateLimitGuard, subjectOf } from './rate-limit.guard.js';

/** `@nestjs/throttler` with the limits of `RateLimitPolicies`, counted in the shared store. */
@Module({})
export class ThrottlingModule {
  static register(): DynamicModule {
    const throttler = ThrottlerModule.forRootAsync({
      inject: [RateLimitPolicies, RateLimiter, Consistency, ConsistencyTokens],
      useFactory: (
        policies: RateLimitPolicies,
        limiter: RateLimiter,
        consistency: Consistency,
        tokens: ConsistencyTokens,
      ) => ({
        storage: new CallCounter(limiter, policies, consistency, tokens),
        // The headers are ours, of the IETF draft.
        setHeaders: false,
        throttlers: [...policies.byRoute.map(countsRoute), countsEveryCall(policies)],
      }),
    });
    return {
      module: ThrottlingModule,
      imports: [throttler],
      providers: [RateLimitGuard],
      exports: [RateLimitGuard],
    };
  }
}

function countsEveryCall(policies: RateLimitPolicies) {
  const policyOf = (context: ExecutionContext): Policy => policies.policyOf(requestOf(context).user ?? null);
  return {
    name: everyCall,
    limit: (context: ExecutionContext) => policyOf(context).points,
    ttl: (context: ExecutionContext) => policyOf(context).windowMs,
    blockDuration: (context: ExecutionContext) => policyOf(context).blockMs,
    skipIf: (context: ExecutionContext) => endpointIn(context)?.isUnlimited === true,
    getTracker: (request: unknown) => subjectOf(request as FastifyRequest),
  };
}

const countsRoute = ({ name, points, windowMs, blockMs }: Policy) => ({
  name,
  limit: points,
  ttl: windowMs,
  blockDuration: blockMs,
  skipIf: (context: ExecutionContext) => endpointIn(context)?.limits.includes(name) !== true,
  getTracker: (request: unknown) => ipSubject(request as FastifyRequest),
});

const requestOf = (context: ExecutionContext): FastifyRequest => context.getArgByIndex<FastifyRequest>(0);

const endpointIn = (context: ExecutionContext) => endpointOf(context.getClass(), context.getHandler());
