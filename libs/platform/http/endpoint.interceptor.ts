import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { ValidationFailed } from '../errors/common-errors.js';
import { endpointOf, type Endpoint } from './endpoint.js';
import { Reply } from './reply.js';

/**
 * What holds for every endpoint: it takes no query parameter and no body that it does not declare, it ends at the deadline
 * of its call, and its answer goes through the declared schema, so that nothing undeclared is sent.
 */
@Injectable()
export class EndpointInterceptor implements NestInterceptor {
  private readonly declarations = new WeakMap<object, Declared>();

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { endpoint, hasQuery, hasBody } = this.declarationOf(context);
    if (endpoint === undefined) return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (!hasQuery && !endpoint.ignoresQuery) refuseMembers(request.query);
    if (!hasBody) refuseMembers(request.body);
    return from(answer(request, http.getResponse<FastifyReply>(), endpoint, next));
  }

  /** Declared arguments have a schema, which refuses unknown fields. */
  private declarationOf(context: ExecutionContext): Declared {
    const handler = context.getHandler();
    const known = this.declarations.get(handler);
    if (known !== undefined) return known;
    const controller = context.getClass();
    const declared = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) ?? {}) as object;
    const kinds = new Set(Object.keys(declared).map((key) => Number(key.split(':', 1)[0])));
    const endpoint = endpointOf(controller, handler);
    const declaration = {
      endpoint,
      hasQuery: kinds.has(paramTypes.query),
      hasBody: kinds.has(paramTypes.body),
    };
    this.declarations.set(handler, declaration);
    return declaration;
  }
}

interface Declared {
  readonly endpoint: Endpoint | undefined;
  readonly hasQuery: boolean;
  readonly hasBody: boolean;
}

/** Nest's `RouteParamtypes` (it exports no such enum). */
const paramTypes = { body: 3, query: 4 } as const;

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

// Fastify's own `handlerTimeout` is of no use: it is cleared once the body has been read (5.12.8).
async function answer(
  { call }: FastifyRequest,
  http: FastifyReply,
  endpoint: Endpoint,
  next: CallHandler,
): Promise<unknown> {
  const work = firstValueFrom(next.handle() as Observable<unknown>, { defaultValue: undefined });
  const result = await (call === null ? work : call.deadline.limit(work));
  // Sending the answer, such as a stream, may take longer.
  call?.deadline.end();
  return send(result, endpoint, http);
}

function send(result: unknown, endpoint: Endpoint, http: FastifyReply): unknown {
  const reply: Reply = result instanceof Reply ? (result as Reply) : Reply.of(result);
  if (reply.status !== null) http.code(reply.status);
  http.headers(reply.headers);
  return reply.isFinal || endpoint.response === null ? reply.body : endpoint.response.parse(reply.body);
}
