import type { FastifyInstance, FastifyReply } from 'fastify';
import { isSilent, routeOf } from './route-of.js';
import { logPlainly } from '../logging/logger.js';

/** One line a request, written when its answer has been sent or its client has gone. */
export function logRequests(fastify: FastifyInstance): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = routeOf(request);
    if (!isSilent(route)) {
      logPlainly(
        {
          request_id: request.id,
          method: request.method,
          route,
          status: reply.statusCode,
          outcome: outcomeOf(reply),
          code: request.problemCode,
          duration_ms: Math.round(reply.elapsedTime * 100) / 100,
          user_id: request.user?.userId,
        },
        'request',
      );
    }
    done();
  });
}

/** `aborted`: the client went away before it had the whole answer. */
function outcomeOf({
  raw,
  statusCode,
}: FastifyReply): 'success' | 'client_error' | 'server_error' | 'aborted' {
  if (!raw.writableFinished) return 'aborted';
  if (statusCode >= 500) return 'server_error';
  return statusCode >= 400 ? 'client_error' : 'success';
}
