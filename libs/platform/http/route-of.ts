import type { FastifyRequest } from 'fastify';

/** The template of the request's route, never its address: labels must stay few and free of ids. */
export const routeOf = (request: FastifyRequest): string =>
  // Fastify makes its `routeOptions` anew each time; the call adapter keeps what it says.
  request.template ?? (request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched'));

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS']);

/** The method as a label: `_OTHER` where it is none of HTTP's own. */
export const methodOf = (method: string): string => (knownMethods.has(method) ? method : '_OTHER');

/** Health checks arrive every few seconds and say nothing: they get no line and no span. */
export const isSilent = (route: string): boolean => route === '/healthz';
