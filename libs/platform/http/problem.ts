import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { DatabaseUnavailable } from '../postgres/database-unavailable.js';
import { isDatabaseUnavailable, isUntranslatableText } from '../postgres/postgres-errors.js';
import { splitAddress } from './address.js';
import { DomainError, type ProblemDetail } from '../errors/domain-error.js';
import { MalformedRequest } from '../errors/common-errors.js';

/** The body of every error answer (RFC 9457, with `code`, `request_id` and `errors`). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors: readonly ProblemDetail[];
}

/** What the HTTP layer's own errors are called for clients: a status has one code. */
const httpLayerErrors: Readonly<Record<number, { code: string; detail: string }>> = {
  400: { code: 'malformed_request', detail: 'The request could not be read.' },
  404: { code: 'not_found', detail: 'There is nothing at this address.' },
  408: { code: 'request_timeout', detail: 'The request did not arrive in time.' },
  413: { code: 'payload_too_large', detail: 'The body is larger than is allowed.' },
  414: { code: 'uri_too_long', detail: 'The address is longer than is allowed.' },
  415: { code: 'unsupported_media_type', detail: 'The Content-Type of the body is not supported here.' },
};

/** Turns whatever was thrown into the error that the client may see; the unexpected becomes a bare 500. */
export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (isDatabaseUnavailable(error)) {
    return new DatabaseUnavailable(error);
  }
  if (isUntranslatableText(error))
    return new MalformedRequest('The request holds text that can not be stored.');
  const known = httpLayerErrors[httpStatusOf(error)];
  if (known !== undefined) {
    const status = httpStatusOf(error);
    return new DomainError({ status, ...known, cause: error });
  }
  return new DomainError({
    status: 500,
    code: 'internal_error',
    detail: 'Something went wrong on our side. Quote the request id when you report it.',
    cause: error,
  });
}

export function toProblem(error: DomainError, request: { url: string; id: string }): Problem {
  return {
    type: error.type,
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    // The path alone: a query may hold what the client wants nobody to log.
    instance: splitAddress(request.url).path,
    code: error.code,
    request_id: request.id,
    errors: error.errors,
  };
}

function httpStatusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number')
    return error.statusCode;
  return 500;
}
