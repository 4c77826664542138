import { DomainError, type ProblemDetail } from './domain-error.js';

/** 400: the request can't be read at all (syntax, encoding, cursor). */
export class MalformedRequest extends DomainError {
  constructor(detail: string, code = 'malformed_request', errors: readonly ProblemDetail[] = []) {
    super({ status: 400, code, detail, errors });
  }
}

/** 401: no token, or one that is not (or no longer) good. */
export class Unauthenticated extends DomainError {
  constructor(detail = 'A valid access token is needed.', code = 'unauthenticated') {
    const challenge = code === 'unauthenticated' ? 'Bearer' : `Bearer error="${code}"`;
    super({ status: 401, code, detail, headers: { 'www-authenticate': challenge } });
  }
}

/** 405: the address is there, but not for this method. */
export class MethodNotAllowed extends DomainError {
  constructor(allowed: readonly string[]) {
    const methods = allowed.join(', ');
    super({
      status: 405,
      code: 'method_not_allowed',
      detail: `This address takes ${methods}.`,
      headers: { allow: methods },
    });
  }
}

/** 422: the request was read, but says something that is not allowed. */
export class ValidationFailed extends DomainError {
  constructor(errors: readonly ProblemDetail[], detail = 'The request has invalid fields.') {
    super({ status: 422, code: 'validation_failed', detail, errors });
  }
}

/** 412: `If-Match` does not name the current version, whose ETag goes along. */
export class PreconditionFailed extends DomainError {
  constructor(currentEtag: string) {
    super({
      status: 412,
      code: 'precondition_failed',
      detail: 'The resource has changed since the version that If-Match names.',
      headers: { etag: currentEtag },
    });
  }
}

/** 503: a part that the request needs is away; trying again is right. */
export class ServiceUnavailable extends DomainError {
  constructor(detail: string, options: { code?: string; retryAfterSeconds?: number; cause?: unknown } = {}) {
    super({
      status: 503,
      code: options.code ?? 'unavailable',
      detail,
      headers: { 'retry-after': String(options.retryAfterSeconds ?? 1) },
      cause: options.cause,
    });
  }
}
