import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Consistency } from '../consistency/consistency.js';
import { CallContext } from '../context/call-context.js';
import type { Caller } from '../context/caller.js';
import type { Scope } from '../context/scope.js';
import { Unauthenticated } from '../errors/common-errors.js';
import type { Route, Routes } from './routes.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The call that this request is; null before the first hook, as where its address can't be decoded. */
    call: CallContext | null;
    /** The route that serves it; null before the first hook. */
    route: Route | null;
    /** Template of the route, such as `/v1/tasks/:id`; undefined if no route matches. */
    template?: string | undefined;
    /** The caller, as passport sets it once the token is verified. */
    user?: Caller | undefined;
    /** Why the token was refused; thrown after the call has been counted. */
    refusal: Error | null;
    /** `code` of the problem that it was answered with. */
    problemCode: string | undefined;
    /** Size of the body of its answer, once that is known. */
    bodyBytes: number;
  }
}

export interface CallAdapterOptions {
  readonly routes: Routes;
  readonly consistency: Consistency;
}

/** The adapter for HTTP: creates the `CallContext` of each request. */
export function adaptCalls(fastify: FastifyInstance, { routes, consistency }: CallAdapterOptions): void {
  fastify.decorateRequest('call', null);
  fastify.decorateRequest('route', null);
  fastify.decorateRequest('template', undefined);
  fastify.decorateRequest('user', undefined);
  fastify.decorateRequest('refusal', null);
  fastify.decorateRequest('problemCode', undefined);
  fastify.decorateRequest('bodyBytes', 0);
  fastify.addHook('onRequest', (request, _reply, done) => {
    // Fastify creates `routeOptions` at each access.
    const template = request.is404 ? undefined : request.routeOptions.url;
    beginCall(request, template, routes.of(request.method, template)).run(done);
  });
  fastify.addHook('onResponse', (request, _reply, done) => {
    request.call?.deadline.end();
    // The intent of a write that never started.
    const intent = request.call?.view?.dropIntent();
    if (intent !== undefined) consistency.store?.finish([intent], null).catch(() => undefined);
    done();
  });
}

function beginCall(request: FastifyRequest, template: string | undefined, route: Route): CallContext {
  const token = request.headers['consistency-token'];
  const call = new CallContext({
    requestId: request.id,
    writes: route.endpoint?.writes ?? null,
    scopes: scopesOf(request, route),
    consistencyToken: typeof token === 'string' ? token : null,
  });
  request.route = route;
  request.template = template;
  request.call = call;
  return call;
}

/** A path without a valid id names no scope; the handler refuses it. */
function scopesOf({ params }: FastifyRequest, { endpoint }: Route): readonly Scope[] {
  const { scopes = null } = endpoint ?? {};
  if (scopes === null) return [];
  try {
    return scopes(params as Readonly<Record<string, string>>);
  } catch {
    return [];
  }
}

/** The caller, as a handler's parameter. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { user } = context.getArgByIndex<FastifyRequest>(0);
  if (user === undefined) throw new Unauthenticated();
  return user;
});
