import type { FastifyInstance } from 'fastify';
import { splitAddress } from './address.js';
import { MethodNotAllowed } from './http-error.js';

interface KnownRoute {
  readonly method: string;
  readonly template: string;
  readonly matcher: RegExp;
}

const tables = new WeakMap<object, KnownRoute[]>();
/** The templates of a server, once all of them are there. */
const fixed = new WeakMap<object, ReadonlySet<string>>();

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
    const { method, template, url } = request;
    // Only a path that is also the whole template of another route can be meant by that.
    const isOther = template?.includes(':') === true && isFixed(fastify, url);
    const allowed = isOther ? methodsOf(fastify, url) : null;
    if (allowed === null || allowed.includes(method)) done();
    else done(new MethodNotAllowed(allowed));
  });
}

function isFixed(fastify: FastifyInstance, url: string): boolean {
  const known =
    fixed.get(fastify.server) ?? new Set((tables.get(fastify.server) ?? []).map(({ template }) => template));
  fixed.set(fastify.server, known);
  return known.has(splitAddress(url).path);
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
  return new RegExp(`^${pattern}$`);
}
