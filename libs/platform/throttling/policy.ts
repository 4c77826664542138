import type { Caller } from '../context/caller.js';

/** A limit by its name in headers and metrics. */
export interface Policy {
  readonly name: string;
  readonly points: number;
  readonly windowMs: number;
  /** 0: no block. A call over the limit is refused until the window ends, or until points are returned. */
  readonly blockMs: number;
}

/** The rate limits of the product. The auth feature, which knows roles and tiers, provides them. */
export abstract class RateLimitPolicies {
  /** The limit that every call counts against; `caller` null: unauthenticated, counted by IP. */
  abstract policyOf(caller: Caller | null): Policy;
  /** All that `policyOf` may return. */
  abstract readonly all: readonly Policy[];
  /** The additional limits of routes with `@RateLimit(name)`, by IP. */
  abstract readonly byRoute: readonly Policy[];
}
