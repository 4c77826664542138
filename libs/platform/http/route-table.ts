import type { FastifyInstance } from 'fastify';
import { splitAddress } from './address.js';
import { MethodNotAllowed } from './http-error.js';

interface KnownRoute {
  readonly method: string;
  readonly template: string;
  readonly matcher: RegExp;
}

const tables = new WeakMap<object, KnownRoute[]>();

/** Records each route as it is added, so that a 404 and a 405 can be told apart. */
export function recordRoutes(fastify: FastifyInstance): void {
  const routes: KnownRoute[] = [];
  tables.set(fastify.server, routes);
  fastify.addHook('onRoute', (route) => {
    // fastify-cors adds OPTIONS of everything: for its preflights, not because everything is there.
    if (route.url === '*') return;
    for (const method of [route.method].flat()) {
      routes.push({ method, template: route.url, matcher: matcherOf(route.url) });
    }
  });
}

/** `PATCH /v1/tasks/bulk` must not be taken for a task with the id "bulk". */
export function refuseForeignMethods(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const isParametric = request.template?.includes(':') ?? false;
    const allowed = isParametric ? methodsOf(fastify, request.url) : [request.method];
    if (allowed.includes(request.method)) done();
    else done(new MethodNotAllowed(allowed));
  });
}

/** The methods that the path of `url` takes, a fixed one before those with parameters; empty where nothing is there. */
export function methodsOf(fastify: FastifyInstance, url: string): string[] {
  const { path } = splitAddress(url);
  const routes = (tables.get(fastify.server) ?? []).filter(({ matcher }) => matcher.test(path));
  const fixed = routes.filter(({ template }) => template === path);
  return [...new Set((fixed.length > 0 ? fixed : routes).map(({ method }) => method))].sort();
}

function matcherOf(template: string): RegExp {
  const pattern = template
    .split('/')
    .map((part) => {
      if (part === '*') return '.*';
      return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^${pattern}/?$`);
}
