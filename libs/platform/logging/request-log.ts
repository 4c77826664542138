import type { FastifyInstance } from 'fastify';
import { logger } from './logger.js';
import { principalOf } from '../security/principal.js';

/** Health checks arrive every few seconds and say nothing. */
const silentRoutes = new Set(['/healthz']);

/** One line a request, written when its answer has been sent or its client has gone. */
export function logRequests(fastify: FastifyInstance): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
    if (!silentRoutes.has(route)) {
      logger.info(
        {
          request_id: request.id,
          method: request.method,
          route,
          status: reply.statusCode,
          duration_ms: Math.round(reply.elapsedTime * 100) / 100,
          user_id: principalOf(request)?.userId,
        },
        'request',
      );
    }
    done();
  });
}
