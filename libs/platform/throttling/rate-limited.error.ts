import { DomainError } from '../errors/domain-error.js';

/** 429: over a limit. `Retry-After` is when the block ends. */
export class RateLimited extends DomainError {
  constructor(blockedMs: number) {
    super({
      status: 429,
      code: 'rate_limited',
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      detail: 'Too many requests. Wait as long as Retry-After says.',
      headers: { 'retry-after': String(Math.max(1, Math.ceil(blockedMs / 1000))) },
    });
  }
}
