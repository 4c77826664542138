import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  normalizeIp,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerRequest,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Consistency } from '../consistency/consistency.js';
import { ConsistencyTokens } from '../consistency/consistency-token.js';
import type { LimitRecord, WriteIntent } from '../consistency/consistency-store.port.js';
import { scopeOf } from '../context/consistency-view.js';
import { uuidv7 } from '../ids/uuid.js';
import { ENDPOINT, type EndpointOptions } from '../http/endpoint.js';
import { principalOf } from '../security/principal.js';
import { Policies } from './policies.js';
import { RateLimited } from './rate-limited.error.js';
import { RateLimiter, type Policy } from './rate-limiter.js';

/** Names of the throttlers: `requests` counts every call, `credentials` some besides. */
export const requestsThrottler = 'requests';

/**
 * Counts each call of a user or, without a good token, of an IP, over all routes together. For a user it also asks, in
 * the same round trip, what the request may rely on, and sets the intent of a write.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly limiter: RateLimiter,
    private readonly policies: Policies,
    private readonly consistency: Consistency,
    private readonly tokens: ConsistencyTokens,
  ) {
    super(options, storage, reflector);
  }

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    const endpoint = this.reflector.get<EndpointOptions | undefined>(ENDPOINT, context.getHandler());
    return Promise.resolve(endpoint?.isUnlimited === true);
  }

  protected override async handleRequest({
    context,
    throttler,
    limit,
    ttl,
    blockDuration,
  }: ThrottlerRequest): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const endpoint = this.reflector.get<EndpointOptions | undefined>(ENDPOINT, context.getHandler());
    const isEveryCall = throttler.name === requestsThrottler;
    const policy = isEveryCall
      ? this.policies.of(principalOf(request))
      : { name: throttler.name ?? '', points: limit, windowMs: ttl, blockMs: blockDuration };
    const record = isEveryCall
      ? await this.begin(request, policy, endpoint)
      : recordOf(
          await this.storageService.increment(subjectOf(request), ttl, limit, blockDuration, policy.name),
        );
    tell(http.getResponse<FastifyReply>(), policy, record);
    if (record.blockedMs > 0) throw new RateLimited(record.blockedMs);
    return true;
  }

  private async begin(
    request: FastifyRequest,
    policy: Policy,
    endpoint: EndpointOptions | undefined,
  ): Promise<LimitRecord> {
    const principal = principalOf(request);
    const cost = endpoint?.cost?.(request.body) ?? 1;
    if (principal === undefined) return this.limiter.count(policy, subjectOf(request), cost);
    const { userId } = principal;
    const { store, protections, servers } = this.consistency;
    const epoch = store?.epoch ?? 0;
    // Without a primary the write may never begin; if it does, it intents the user itself.
    const intent: WriteIntent | null =
      endpoint?.writes === undefined || servers.primary === null || !protections.isOn('mark')
        ? null
        : { userId, feature: endpoint.writes, id: uuidv7() };
    const { record, beginning } = await this.limiter.begin(policy, userId, cost, intent);
    const token = this.tokens.read(userId, request.headers['consistency-token']);
    const view = this.consistency.viewOf(userId, beginning, token);
    if (intent !== null && beginning !== null && record.blockedMs === 0) view.holdIntent(intent, epoch);
    const scope = scopeOf(request);
    if (scope !== undefined) scope.view = view;
    return record;
  }
}

/** IPv6 by /64: whoever has one address has all of these. */
const subjectOf = (request: FastifyRequest): string => `{ip:${normalizeIp(withoutPort(request.ip))}}`;

/** Some gateways forward `1.2.3.4:5678` and `[::1]:5678`: each port would count as a client. */
const withoutPort = (address: string): string =>
  /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address)?.[1] ?? /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? address;

const recordOf = (counted: Awaited<ReturnType<ThrottlerStorage['increment']>>): LimitRecord => ({
  used: counted.totalHits,
  resetMs: counted.timeToExpire * 1000,
  blockedMs: counted.isBlocked ? counted.timeToBlockExpire * 1000 : 0,
});

/** IETF httpapi draft (ratelimit-headers-10): quota and window in seconds; what is left, and until when. */
function tell(reply: FastifyReply, policy: Policy, { used, resetMs, blockedMs }: LimitRecord): void {
  const left = blockedMs > 0 ? 0 : Math.max(0, policy.points - used);
  append(
    reply,
    'ratelimit-policy',
    `"${policy.name}";q=${policy.points};w=${Math.round(policy.windowMs / 1000)}`,
  );
  append(
    reply,
    'ratelimit',
    `"${policy.name}";r=${left};t=${Math.ceil(Math.max(resetMs, blockedMs) / 1000)}`,
  );
}

function append(reply: FastifyReply, name: string, item: string): void {
  const present = reply.getHeader(name);
  void reply.header(name, present === undefined ? item : `${String(present)}, ${item}`);
}

/** For `skipIf`: whether the route counts as one that deals in credentials. */
export const isCredentialsRoute = (context: ExecutionContext, reflector: Reflector): boolean =>
  reflector.get<EndpointOptions | undefined>(ENDPOINT, context.getHandler())?.isCredentials === true;
