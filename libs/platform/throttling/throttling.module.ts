import { Module, type DynamicModule } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerModule, type ThrottlerStorage } from '@nestjs/throttler';
import { isCredentialsRoute, requestsThrottler } from './rate-limit.guard.js';
import { Policies } from './policies.js';
import { RateLimiter } from './rate-limiter.js';

/** The limits that the guard applies to routes; what else is limited asks `RateLimiter` itself. */
@Module({})
export class ThrottlingModule {
  static register(): DynamicModule {
    const throttler = ThrottlerModule.forRootAsync({
      inject: [Policies, RateLimiter],
      useFactory: (policies: Policies, limiter: RateLimiter) => ({
        storage: storageOf(limiter),
        throttlers: [
          settingsOf(requestsThrottler, policies.free),
          {
            ...settingsOf(policies.credentials.name, policies.credentials),
            skipIf: (context) => !isCredentialsRoute(context, reflector),
          },
        ],
      }),
    });
    return { module: ThrottlingModule, imports: [throttler], exports: [throttler] };
  }
}

const reflector = new Reflector();

const settingsOf = (name: string, { points, windowMs, blockMs }: Policies['free']) => ({
  name,
  limit: points,
  ttl: windowMs,
  blockDuration: blockMs,
});

/** Our storage as the package knows it. Its own keys count each handler by itself; ours, of the guard, all together. */
const storageOf = (limiter: RateLimiter): ThrottlerStorage => ({
  async increment(key, ttl, limit, blockDuration, name) {
    const record = await limiter.count({ name, points: limit, windowMs: ttl, blockMs: blockDuration }, key);
    return {
      totalHits: record.used,
      timeToExpire: Math.ceil(record.resetMs / 1000),
      isBlocked: record.blockedMs > 0,
      timeToBlockExpire: Math.ceil(record.blockedMs / 1000),
    };
  },
});
