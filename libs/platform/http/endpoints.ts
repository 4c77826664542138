import type { CanActivate, ExecutionContext, INestApplicationContext, Type } from '@nestjs/common';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  HEADERS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  REDIRECT_METADATA,
  SSE_METADATA,
} from '@nestjs/common/internal';
import { ExecutionContextHost } from '@nestjs/core/internal';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CallContext } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { DeadlineExceeded, ValidationFailed } from '../errors/common-errors.js';
import { OutcomeUnknown } from '../postgres/database-unavailable.js';
import { sendAnswer } from './answer.js';
import type { Endpoint } from './endpoint.js';
import { listHandlers, type Handler } from './handlers.js';
import { observerOf, type Observe } from './observed.js';
import { sendProblem } from './send-problem.js';
import type { ResponseHeaders } from './response-headers.js';
import { argumentsOf, type RouteArguments } from './route-arguments.js';
import { runGuards } from './routes.js';

export interface EndpointsOptions {
  readonly app: INestApplicationContext;
  /** For every endpoint, in their order, before those of `@UseGuards`. */
  readonly guards: readonly CanActivate[];
  readonly headers: ResponseHeaders;
  /** Longest time from the end of the body to the answer. */
  readonly handlerTimeoutMs: number;
}

/** An endpoint with all that its decorators say, read once. */
interface CompiledRoute {
  readonly endpoint: Endpoint;
  readonly guards: readonly CanActivate[];
  readonly args: RouteArguments;
  readonly call: (args: unknown[]) => unknown;
  /** Of `@Header`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly observe: Observe | null;
  readonly context: (request: FastifyRequest, reply: FastifyReply) => ExecutionContext;
}

/**
 * Adds the endpoints of Nest's controllers to Fastify: guards, then arguments with their schemas, then the handler, then the
 * answer by its schema. What their decorators say is looked up when they are added, once, and a request meets no observable.
 * Guards, parameter decorators and controllers are Nest's own; what has no place here fails at the start.
 */
export function addEndpoints(fastify: FastifyInstance, options: EndpointsOptions): void {
  for (const handler of listHandlers(options.app)) {
    const { endpoint, method, path, controller, name } = handler;
    if (endpoint === undefined)
      throw new Error(`${controller.name}.${name} needs @Summary and @Returns, or @ReturnsNothing.`);
    const serve = serving(compile(handler, endpoint, options), options);
    const bodyLimit = endpoint.maxBodyBytes;
    fastify.route({ method: method.toUpperCase(), url: path, bodyLimit, handler: serve });
  }
}

function compile(handler: Handler, endpoint: Endpoint, { app, guards }: EndpointsOptions): CompiledRoute {
  const { controller, name, handler: method } = handler;
  refuseUnsupported(controller, method);
  const instance = app.get<Record<string, (...args: unknown[]) => unknown>>(controller, { strict: false });
  const declared = [controller, method].flatMap(
    (target) =>
      (Reflect.getMetadata(GUARDS_METADATA, target) as readonly Type<CanActivate>[] | undefined) ?? [],
  );
  const observer = observerOf(method);
  return {
    endpoint,
    guards: [...guards, ...declared.map((guard) => app.get(guard, { strict: false }))],
    args: argumentsOf(controller, name),
    call: (args) => instance[name]?.(...args),
    headers: headersOf(method),
    observe: observer === undefined ? null : app.get(observer, { strict: false }).observe(method),
    context: (request, reply) => new ExecutionContextHost([request, reply], controller, method),
  };
}

function headersOf(method: object): Readonly<Record<string, string>> {
  const declared = (Reflect.getMetadata(HEADERS_METADATA, method) ?? []) as readonly {
    readonly name: string;
    readonly value: unknown;
  }[];
  return Object.fromEntries(
    declared.map(({ name, value }) => {
      if (typeof value !== 'string') throw new Error(`@Header(${name}) takes a text.`);
      return [name.toLowerCase(), value];
    }),
  );
}

const unsupported: Readonly<Record<string, string>> = {
  [INTERCEPTORS_METADATA]: '@UseInterceptors',
  [PIPES_METADATA]: '@UsePipes',
  [EXCEPTION_FILTERS_METADATA]: '@UseFilters',
  [REDIRECT_METADATA]: '@Redirect',
  [SSE_METADATA]: '@Sse',
};

function refuseUnsupported(controller: Type, method: object): void {
  for (const [key, decorator] of Object.entries(unsupported))
    for (const target of [controller, method])
      if (Reflect.hasMetadata(key, target))
        throw new Error(`${controller.name}: endpoints have no place for ${decorator}, see endpoints.ts.`);
}

function serving(route: CompiledRoute, { headers, handlerTimeoutMs }: EndpointsOptions) {
  const { endpoint } = route;
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const { call } = request;
    const fail = (error: unknown): void => {
      if (!reply.sent) sendProblem(error, request, reply);
    };
    const done = (result: unknown): void => {
      call?.deadline.end();
      if (reply.sent) return;
      try {
        sendAnswer(result, { request, reply, endpoint, headers, declared: route.headers });
      } catch (error) {
        fail(error);
      }
    };
    if (call === null) {
      run(route, request, reply).then(done, fail);
      return;
    }
    // The time that a client takes to send its body is not the handler's. What reads the body may run in the context of the
    // connection, so the call is entered anew.
    call.deadline = new Deadline(handlerTimeoutMs);
    call.deadline.onExpired(() => fail(expiredOf(call)));
    call.run(() => void run(route, request, reply).then(done, fail));
  };
}

/** The answer to a call that took too long. */
function expiredOf({ deadline }: CallContext): Error {
  const exceeded = new DeadlineExceeded();
  return deadline.isCommitSent ? new OutcomeUnknown(exceeded) : exceeded;
}

async function run(route: CompiledRoute, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const context = route.context(request, reply);
  await runGuards(route.guards, context);
  const { observe } = route;
  try {
    const read = argumentsFor(route, request, context);
    const result = await route.call(Array.isArray(read) ? read : await read);
    observe?.(null);
    return result;
  } catch (error) {
    observe?.(error);
    throw error;
  }
}

/** Declared arguments have a schema, which refuses unknown fields. */
function argumentsFor({ args, endpoint }: CompiledRoute, request: FastifyRequest, context: ExecutionContext) {
  if (!args.kinds.has('query') && !endpoint.ignoresQuery) refuseMembers(request.query);
  if (!args.kinds.has('body')) refuseMembers(request.body);
  return args.read(request, context);
}

/** Many clients send an empty object instead of no body. */
function refuseMembers(value: unknown): void {
  if (value === undefined || value === null) return;
  const names = typeof value === 'object' && !Array.isArray(value) ? Object.keys(value) : [''];
  if (names.length === 0) return;
  throw new ValidationFailed(
    names.slice(0, 50).map((name) => ({
      pointer: name === '' ? '' : `/${name.slice(0, 100)}`,
      code: 'unknown_field',
      message: 'is not known here',
    })),
  );
}
