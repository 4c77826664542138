import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logger } from '../logging/logger.js';
import { methodsOf } from './route-table.js';
import { MethodNotAllowed } from '../errors/common-errors.js';
import type { DomainError } from '../errors/domain-error.js';
import { toDomainError, toProblem } from './problem.js';

/** The one place where an error becomes an answer, and where a 5xx is logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

export function sendProblem(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent) return;
  const error = methodNotAllowed(request) ?? toDomainError(exception);
  if (error.status >= 500) {
    // A 503 is expected while a part is away; a 500 is a bug of ours.
    const level = error.status === 503 ? 'warn' : 'error';
    logger[level]({ err: error, route: request.routeOptions.url }, 'request failed');
  }
  void reply
    .code(error.status)
    .headers(error.headers)
    // An address that can't even be decoded gets here before any hook has run.
    .header('x-request-id', request.id)
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(toProblem(error, { url: request.url, id: request.id })));
}

/** Fastify knows no 405: an address without a route for this method looks to it like no address at all. */
function methodNotAllowed(request: FastifyRequest): DomainError | null {
  if (!request.is404) return null;
  const allowed = methodsOf(request.server, request.url);
  return allowed.length === 0 || allowed.includes(request.method) ? null : new MethodNotAllowed(allowed);
}
