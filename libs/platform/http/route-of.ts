import type { FastifyRequest } from 'fastify';

/** The template of the request's route, never its address: labels must stay few and free of ids. */
export const routeOf = (request: FastifyRequest): string =>
  request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
