import { DomainError, type DomainErrorOptions, type ErrorDetail } from './domain-error.js';

/** The request can't be read at all (syntax, encoding, cursor). */
export class MalformedRequest extends DomainError {
  constructor(message: string, code = 'malformed_request', errors: readonly ErrorDetail[] = []) {
    super({ kind: 'malformed', code, message, errors });
  }
}

/** No access token, or one that is not (or no longer) valid. */
export class Unauthenticated extends DomainError {
  constructor(message = 'A valid access token is needed.', code = 'unauthenticated') {
    super({ kind: 'unauthenticated', code, message });
  }
}

/** The request is well formed, but its content is invalid. */
export class ValidationFailed extends DomainError {
  constructor(errors: readonly ErrorDetail[], message = 'The request has invalid fields.') {
    super({ kind: 'invalid', code: 'validation_failed', message, errors });
  }
}

/** The current version is none of the expected ones. */
export class VersionMismatch extends DomainError {
  constructor(
    readonly currentVersion: string | number,
    message = 'The resource has changed since the version that If-Match names.',
    more: Pick<DomainErrorOptions, 'errors' | 'cause'> = {},
  ) {
    super({ kind: 'version_mismatch', code: 'precondition_failed', message, ...more });
  }
}

/** Compares the current version with the expected ones; null: any version. @throws VersionMismatch */
export function requireVersion<V extends string | number>(expected: readonly V[] | null, current: V): void {
  if (expected !== null && !expected.includes(current)) throw new VersionMismatch(current);
}

/** A part that the request needs is not available; the client should retry. */
export class ServiceUnavailable extends DomainError {
  constructor(
    message: string,
    options: { readonly code?: string; readonly retryAfterSeconds?: number; readonly cause?: unknown } = {},
  ) {
    super({
      kind: 'unavailable',
      code: options.code ?? 'unavailable',
      message,
      retryAfterSeconds: options.retryAfterSeconds ?? 1,
      cause: options.cause,
    });
  }
}

/** The deadline of the call passed before its work was done. */
export class DeadlineExceeded extends ServiceUnavailable {
  constructor() {
    super('The request took too long.', { code: 'timeout' });
  }
}
