import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { MalformedRequest, VersionMismatch } from '../errors/common-errors.js';
import { DomainError, type ErrorDetail, type ErrorKind } from '../errors/domain-error.js';
import { DatabaseUnavailable } from '../postgres/database-unavailable.js';
import { isDatabaseUnavailable, isUntranslatableText } from '../postgres/postgres-errors.js';
import { splitAddress } from './address.js';
import { etagOf } from './etag.js';
import { HttpError } from './http-error.js';

/** An error as HTTP tells it. */
export interface HttpFailure {
  readonly status: number;
  readonly code: string;
  readonly type: string;
  readonly detail: string;
  readonly errors: readonly ErrorDetail[];
  readonly headers: Readonly<Record<string, string>>;
}

/** The body of every error answer (RFC 9457, with `code`, `request_id` and `errors`). */
export interface Problem extends Omit<HttpFailure, 'headers'> {
  readonly title: string;
  readonly instance: string;
  readonly request_id: string;
}

export const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  version_mismatch: 412,
  invalid: 422,
  rate_limited: 429,
  unavailable: 503,
};

/** Registered by the IANA for problems (draft-ietf-httpapi-ratelimit-headers). */
const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

export const problemType = (code: string): string => `urn:task-api:problem:${code}`;
export const problemTitle = (status: number): string => STATUS_CODES[status] ?? 'Error';

/** What the HTTP layer's own errors are called for clients: a status has one code. */
const httpLayerErrors: Readonly<Record<number, { readonly code: string; readonly detail: string }>> = {
  400: { code: 'malformed_request', detail: 'The request could not be read.' },
  404: { code: 'not_found', detail: 'There is nothing at this address.' },
  408: { code: 'request_timeout', detail: 'The request did not arrive in time.' },
  413: { code: 'payload_too_large', detail: 'The body is larger than is allowed.' },
  414: { code: 'uri_too_long', detail: 'The address is longer than is allowed.' },
  415: { code: 'unsupported_media_type', detail: 'The Content-Type of the body is not supported here.' },
};

/** Turns whatever was thrown into the error that the client may see; the unexpected becomes a bare 500. */
export function toFailure(error: unknown): HttpFailure {
  if (error instanceof DomainError) return failureOf(error);
  if (error instanceof HttpError) {
    const { status, code, message, headers } = error;
    return { status, code, type: problemType(code), detail: message, errors: [], headers };
  }
  if (isDatabaseUnavailable(error)) return failureOf(new DatabaseUnavailable(error));
  if (isUntranslatableText(error))
    return failureOf(new MalformedRequest('The request holds text that can not be stored.'));
  const status = httpStatusOf(error);
  const known = httpLayerErrors[status];
  if (known !== undefined)
    return { status, ...known, type: problemType(known.code), errors: [], headers: {} };
  const code = 'internal_error';
  const detail = 'Something went wrong on our side. Quote the request id when you report it.';
  return { status: 500, code, type: problemType(code), detail, errors: [], headers: {} };
}

/** The status and headers that stand for a domain error in HTTP. */
export function failureOf(error: DomainError): HttpFailure {
  const { kind, code, message, errors } = error;
  const type = kind === 'rate_limited' ? quotaExceeded : problemType(code);
  return { status: statusOfKind[kind], code, type, detail: message, errors, headers: headersOf(error) };
}

function headersOf(error: DomainError): Readonly<Record<string, string>> {
  const { kind, code, retryAfterSeconds } = error;
  return {
    ...(retryAfterSeconds !== null && { 'retry-after': String(retryAfterSeconds) }),
    ...(kind === 'unauthenticated' && {
      'www-authenticate': code === 'unauthenticated' ? 'Bearer' : `Bearer error="${code}"`,
    }),
    ...(error instanceof VersionMismatch && { etag: etagOf(error.currentVersion) }),
  };
}

export function toProblem(
  { headers: _headers, ...failure }: HttpFailure,
  request: { readonly url: string; readonly id: string },
): Problem {
  const { type, status, detail, code, errors } = failure;
  return {
    type,
    title: problemTitle(status),
    status,
    detail,
    // The path alone: a query may hold what the client wants nobody to log.
    instance: splitAddress(request.url).path,
    code,
    request_id: request.id,
    errors,
  };
}

function httpStatusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number')
    return error.statusCode;
  return 500;
}
