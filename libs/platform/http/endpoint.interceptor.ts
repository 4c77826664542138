import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, throwError, timeout, type Observable } from 'rxjs';
import { PLATFORM_CONFIG, type PlatformConfig } from '../platform.config.js';
import { ServiceUnavailable, ValidationFailed } from '../errors/common-errors.js';
import { ENDPOINT, type EndpointOptions } from './endpoint.js';
import { Reply } from './reply.js';

/**
 * What holds for every endpoint: it takes no query parameter and no body that it does not declare, a handler that takes
 * too long is given up, and its answer goes through the declared schema, so that nothing leaves that is not declared.
 */
@Injectable()
export class EndpointInterceptor implements NestInterceptor {
  private readonly declarations = new WeakMap<object, Declared>();

  constructor(
    private readonly reflector: Reflector,
    @Inject(PLATFORM_CONFIG) private readonly config: Pick<PlatformConfig, 'HANDLER_TIMEOUT_MS'>,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const endpoint = this.reflector.get<EndpointOptions | undefined>(ENDPOINT, context.getHandler());
    if (endpoint === undefined) return next.handle();
    const http = context.switchToHttp();
    const declared = this.declarationOf(context);
    const { query, body } = http.getRequest<FastifyRequest>();
    if (!declared.query && endpoint.ignoresQuery !== true) refuseMembers(query);
    if (!declared.body) refuseMembers(body);
    const reply = http.getResponse<FastifyReply>();
    // Fastify's own `handlerTimeout` is of no use: it is cleared once the body has been read (5.12.8).
    const expired = () =>
      throwError(() => new ServiceUnavailable('The request took too long.', { code: 'timeout' }));
    return next.handle().pipe(
      timeout({ first: this.config.HANDLER_TIMEOUT_MS, with: expired }),
      map((result: unknown) => shape(result, endpoint, reply)),
    );
  }

  /** What is declared has a schema, which refuses what it does not know. */
  private declarationOf(context: ExecutionContext): Declared {
    const handler = context.getHandler();
    const known = this.declarations.get(handler);
    if (known !== undefined) return known;
    const declared = (Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name) ??
      {}) as object;
    const kinds = new Set(Object.keys(declared).map((key) => Number(key.split(':', 1)[0])));
    const declaration = { query: kinds.has(paramTypes.query), body: kinds.has(paramTypes.body) };
    this.declarations.set(handler, declaration);
    return declaration;
  }
}

interface Declared {
  readonly query: boolean;
  readonly body: boolean;
}

/** Nest's `RouteParamtypes` (it exports no such enum). */
const paramTypes = { body: 3, query: 4 } as const;

/** An empty object is what many clients send where there is nothing to say. */
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

function shape(result: unknown, endpoint: EndpointOptions, http: FastifyReply): unknown {
  const { body, options }: Reply = result instanceof Reply ? (result as Reply) : new Reply(result);
  if (options.status !== undefined) http.code(options.status);
  if (options.headers !== undefined) http.headers(options.headers);
  if (options.status === 304) return undefined;
  return options.isFinal || endpoint.response === null ? body : endpoint.response.parse(body);
}
