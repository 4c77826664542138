import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { Consistency } from '../consistency/consistency.js';
import type { LimitRecord } from '../consistency/consistency-store.port.js';
import { ConsistencyTokens } from '../consistency/consistency-token.js';
import { currentCall, type CallContext } from '../context/call-context.js';
import type { WriteIntent } from '../context/last-write.js';
import { userScope, type Scope } from '../context/scope.js';
import { RateLimitPolicies, type Policy } from './policy.js';
import { RateLimiter } from './rate-limiter.js';

/** Name of the throttler that counts every call. */
export const everyCall = 'every-call';

/**
 * The storage of `@nestjs/throttler`: counts in the shared store. The first count of a known user also asks, in the same
 * round trip, what the call may rely on, and announces the intent of a write.
 */
@Injectable()
export class CallCounter implements ThrottlerStorage {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly policies: RateLimitPolicies,
    private readonly consistency: Consistency,
    private readonly tokens: ConsistencyTokens,
  ) {
    for (const policy of [...policies.all, ...policies.byRoute]) limiter.announce(policy);
  }

  async increment(key: string, ttl: number, limit: number, blockDuration: number, throttler: string) {
    const call = currentCall();
    const caller = call?.caller ?? null;
    const isEveryCall = throttler === everyCall;
    const name = isEveryCall ? this.policies.policyOf(caller).name : throttler;
    const policy = { name, points: limit, windowMs: ttl, blockMs: blockDuration };
    const record =
      isEveryCall && call !== undefined && caller !== null
        ? await this.begin(call, policy, caller.userId)
        : await this.limiter.count(policy, key);
    if (call !== undefined) recordLimit(call, policy, record);
    return {
      totalHits: record.used,
      timeToExpire: Math.ceil(record.resetMs / 1000),
      isBlocked: record.blockedMs > 0,
      timeToBlockExpire: Math.ceil(record.blockedMs / 1000),
    };
  }

  private async begin(call: CallContext, policy: Policy, userId: string): Promise<LimitRecord> {
    const { consistency } = this;
    const known = consistency.known();
    const scope = userScope(userId);
    const intent = this.intentOf(call, scope);
    const question = { scopes: [scope, ...call.scopes], intent };
    const { record, lastWrites } = await this.limiter.begin(policy, userId, question);
    const token = this.tokens.read(userId, call.consistencyToken ?? undefined);
    const view = consistency.viewOf(userId, known, lastWrites, token);
    if (intent !== null && lastWrites !== null && record.blockedMs === 0)
      view.holdIntent(intent, known.epoch);
    call.view = view;
    return record;
  }

  /** Without a primary the write may never begin; if it does, it announces its intent itself. */
  private intentOf({ writes: feature }: CallContext, scope: Scope): WriteIntent | null {
    if (feature === null || this.consistency.servers.primary === null) return null;
    return { scope, feature, id: randomUUID() };
  }
}

/** Keeps the count for the headers of the answer. */
export function recordLimit(
  call: CallContext,
  { name, points, windowMs }: Policy,
  record: LimitRecord,
): void {
  const { used, resetMs, blockedMs } = record;
  call.countedAgainst({ name, points, windowMs, used, resetMs, blockedMs });
}
