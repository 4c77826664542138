import type { INestApplicationContext } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { listHandlers } from './handlers.js';
import type { HttpMetrics } from './http-metrics.js';
import { routeOf } from './route-of.js';

/**
 * Measures each request when its answer has been sent or its client has gone. Returns what makes a series of zero of
 * each route, once all are there.
 */
export function measureRequests(
  fastify: FastifyInstance,
  metrics: HttpMetrics,
): (app: INestApplicationContext) => void {
  const routes: { readonly method: string; readonly route: string }[] = [];
  fastify.addHook('onRoute', ({ method, url }) => {
    // HEAD of every GET and the preflights' OPTIONS are seldom asked for: they get series when they are.
    const methods = [method].flat().filter((each) => each !== 'HEAD' && each !== 'OPTIONS');
    if (url !== '*') routes.push(...methods.map((each) => ({ method: each, route: url })));
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const size = method === 'HEAD' ? 0 : request.bodyBytes || Number(reply.getHeader('content-length') ?? 0);
    metrics.count({
      method,
      route: routeOf(request),
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
      bodyBytes: Number.isFinite(size) ? size : 0,
    });
    done();
  });
  return (app) => {
    const statuses = new Map(
      listHandlers(app).map(({ method, path, endpoint }) => [
        `${method.toUpperCase()} ${path}`,
        endpoint?.status,
      ]),
    );
    for (const { method, route } of routes)
      metrics.announce(method, route, statuses.get(`${method} ${route}`) ?? 200);
  };
}
