import type { FastifyInstance } from 'fastify';

interface KnownRoute {
  readonly method: string;
  readonly template: string;
  readonly matcher: RegExp;
}

const tables = new WeakMap<object, KnownRoute[]>();

/** Records each route as it is added, so that a 404 and a 405 can be told apart and routes can be listed. */
export function recordRoutes(fastify: FastifyInstance): void {
  const routes: KnownRoute[] = [];
  tables.set(fastify.server, routes);
  fastify.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      routes.push({ method, template: route.url, matcher: matcherOf(route.url) });
    }
  });
}

/** The methods that the path of `url` takes; empty where nothing is there. */
export function methodsOf(fastify: FastifyInstance, url: string): string[] {
  const path = url.split('?', 1)[0] ?? '';
  const methods = (tables.get(fastify.server) ?? []).filter((route) => route.matcher.test(path));
  return [...new Set(methods.map((route) => route.method))].sort();
}

export function listRoutes(fastify: FastifyInstance): readonly { method: string; template: string }[] {
  return tables.get(fastify.server) ?? [];
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
