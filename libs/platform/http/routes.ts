import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  ForbiddenException,
  type CanActivate,
  type ExecutionContext,
  type INestApplicationContext,
  type Type,
} from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/internal';
import type { FastifyReply } from 'fastify';
import type { Endpoint } from './endpoint.js';
import { listHandlers } from './handlers.js';

/** A route with the controller that serves it. */
export interface Route {
  /** Undefined for what is no endpoint: the docs page, addresses that name nothing. */
  readonly endpoint: Endpoint | undefined;
  readonly controller: Type;
  readonly method: (...args: never[]) => unknown;
}

/** Stands for the controller where there is none: guards need a class and a method to look at. */
class UnknownRoute {
  readonly path = '*';
}
const unknownRoute: Route = {
  endpoint: undefined,
  controller: UnknownRoute,
  method: () => undefined,
};

/** The routes of the application as hooks and guards that run before the body is read see them. */
export class Routes {
  private readonly known = new Map<string, Route>();

  /** Once, when all controllers are there. */
  learn(app: INestApplicationContext): void {
    for (const { method, path, endpoint, controller, handler } of listHandlers(app)) {
      const route = { endpoint, controller, method: handler };
      this.known.set(`${method.toUpperCase()} ${path}`, route);
      // Fastify answers HEAD wherever there is a GET.
      if (method === 'get') this.known.set(`HEAD ${path}`, route);
    }
  }

  of(method: string, template: string | undefined): Route {
    return (template !== undefined && this.known.get(`${method} ${template}`)) || unknownRoute;
  }

  /** The request as guards get it from Nest. */
  contextOf(request: FastifyRequest, reply: FastifyReply): ExecutionContext {
    const { controller, method } = request.route ?? unknownRoute;
    return new ExecutionContextHost([request, reply], controller, method);
  }
}

/** Runs guards before the body is read: a body that is refused, a 404 and a 405 count against the limits as well. */
export function guardBeforeBody(
  fastify: FastifyInstance,
  routes: Routes,
  guards: () => readonly CanActivate[],
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const context = routes.contextOf(request, reply);
    runGuards(guards(), context).then(
      () => done(),
      (error: unknown) =>
        done(error instanceof Error ? error : new Error('A guard failed.', { cause: error })),
    );
  });
}

/** One after the other, as Nest does. @throws ForbiddenException where one returns false */
export async function runGuards(guards: readonly CanActivate[], context: ExecutionContext): Promise<void> {
  for (const guard of guards) {
    const allowed = guard.canActivate(context);
    // Most can tell at once: to wait for those, too, would cost each request a few turns.
    if (allowed !== true && (await allowed) !== true) throw new ForbiddenException();
  }
}
