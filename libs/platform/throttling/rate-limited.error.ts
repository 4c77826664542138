import { DomainError } from '../errors/domain-error.js';

/** The caller is over a limit, until the block ends. */
export class RateLimited extends DomainError {
  constructor(blockedMs: number) {
    super({
      kind: 'rate_limited',
      code: 'rate_limited',
      message: 'Too many requests. Wait as long as Retry-After says.',
      retryAfterSeconds: Math.max(1, Math.ceil(blockedMs / 1000)),
    });
  }
}
