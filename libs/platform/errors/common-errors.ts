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

/** What the current version must be for a call to take effect. */
export interface VersionCondition<V extends string | number> {
  /** One of these; null: any will do. */
  readonly anyOf: readonly V[] | null;
  readonly noneOf: readonly V[];
}

/** The current version is not what the call expects. */
export class VersionMismatch extends DomainError {
  constructor(
    readonly currentVersion: string | number,
    message = 'The resource is at another version than If-Match and If-None-Match ask for.',
    more: Pick<DomainErrorOptions, 'errors' | 'cause'> = {},
  ) {
    super({ kind: 'version_mismatch', code: 'precondition_failed', message, ...more });
  }
}

/** @throws VersionMismatch where the current version is not what the condition asks for */
export function requireVersion<V extends string | number>(
  { anyOf, noneOf }: VersionCondition<V>,
  current: V,
): void {
  if (anyOf?.includes(current) === false || noneOf.includes(current)) throw new VersionMismatch(current);
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
