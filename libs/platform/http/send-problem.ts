import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../errors/domain-error.js';
import { logger } from '../logging/logger.js';
import { MethodNotAllowed } from './http-error.js';
import { toFailure, toProblem } from './problem.js';
import { methodsOf } from './route-table.js';

/** The one place where an error becomes an answer, and where a 5xx is logged. */
export function sendProblem(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent) return;
  const failure = toFailure(methodNotAllowed(exception, request) ?? exception);
  request.problemCode = failure.code;
  const details = { err: exception, route: request.routeOptions.url };
  // A 503 is expected while a part is away; a 500 is a bug of ours.
  if (failure.status >= 500 && failure.status !== 503) logger.error(details, 'request failed');
  if (failure.status === 503 && isFirstOfASecond(failure.code)) logger.warn(details, 'request failed');
  if (isLongAndUnread(request)) closeUnread(request, reply);
  void reply
    .code(failure.status)
    .headers(failure.headers)
    // An address that can't even be decoded gets here before any hook has run.
    .header('x-request-id', request.id)
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(toProblem(failure, { url: request.url, id: request.id })));
}

/** A shorter body is read to its end, which keeps the connection. */
const shortBytes = 64 * 1024;
/** What a client is given to read its answer. */
const lingerMs = 1000;

function isLongAndUnread({ raw, headers }: FastifyRequest): boolean {
  // Nobody knows how long a chunked one is. One without a body may not be complete yet when its head is refused.
  const length =
    headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
  return !raw.complete && length > shortBytes;
}

/**
 * Answers a request without reading the rest of its body: Node would read all of it, a megabyte each time that a blocked client
 * tries again. The connection is closed at once for us, but a moment later for the client: it would else lose its answer.
 */
function closeUnread({ raw }: FastifyRequest, reply: FastifyReply): void {
  const { socket } = raw;
  void reply.header('connection', 'close');
  // Tells Node that somebody reads the body, who then does not go on.
  raw.read(0);
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}

/** By the code, which is one of a few. */
const toldAt = new Map<string, number>();

/** When a part is away or a storm of calls comes, thousands fail for one reason. Each has its code in its own line of the log. */
function isFirstOfASecond(code: string): boolean {
  const now = performance.now();
  if (now - (toldAt.get(code) ?? -Infinity) < 1000) return false;
  toldAt.set(code, now);
  return true;
}

/** Fastify knows no 405: an address without a route for this method looks to it like no address at all. */
function methodNotAllowed(exception: unknown, request: FastifyRequest): MethodNotAllowed | null {
  // A limit that the call went over comes before the address that it named.
  if (!request.is404 || exception instanceof DomainError) return null;
  const allowed = methodsOf(request.server, request.url);
  return allowed.length === 0 || allowed.includes(request.method) ? null : new MethodNotAllowed(allowed);
}
