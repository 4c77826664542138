import type { FastifyInstance } from 'fastify';
import { MethodNotAllowed } from '../errors/common-errors.js';

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
  fastify.addHook('onRequest', (request, _reply, done) => {
    // `PATCH /v1/tasks/bulk` must not be taken for a task with the id "bulk".
    const path = pathOf(request.url);
    const isParametric = request.routeOptions.url?.includes(':') ?? false;
    const fixed = isParametric ? routes.filter(({ template }) => template === path) : [];
    if (fixed.length === 0) done();
    else done(new MethodNotAllowed(fixed.map(({ method }) => method).sort()));
  });
  fastify.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      routes.push({ method, template: route.url, matcher: matcherOf(route.url) });
    }
  });
}

/** The methods that the path of `url` takes; empty where nothing is there. */
export function methodsOf(fastify: FastifyInstance, url: string): string[] {
  const path = pathOf(url);
  const methods = (tables.get(fastify.server) ?? []).filter((route) => route.matcher.test(path));
  return [...new Set(methods.map((route) => route.method))].sort();
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';

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
