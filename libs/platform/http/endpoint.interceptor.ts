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
import { PLATFORM_CONFIG, type PlatformConfig } from '../config/platform-variables.js';
import { ServiceUnavailable, ValidationFailed } from '../errors/common-errors.js';
import { ENDPOINT, type EndpointOptions } from './endpoint.js';
import { Reply } from './reply.js';

/**
 * What holds for every endpoint: it takes no query parameter that it does not declare, a handler that takes too long is
 * given up, and its answer goes through the declared schema, so that nothing leaves that is not declared.
 */
@Injectable()
export class EndpointInterceptor implements NestInterceptor {
  private readonly takesQuery = new WeakMap<object, boolean>();

  constructor(
    private readonly reflector: Reflector,
    @Inject(PLATFORM_CONFIG) private readonly config: Pick<PlatformConfig, 'HANDLER_TIMEOUT_MS'>,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const endpoint = this.reflector.get<EndpointOptions | undefined>(ENDPOINT, context.getHandler());
    if (endpoint === undefined) return next.handle();
    const http = context.switchToHttp();
    if (!this.declaresQuery(context)) refuseQuery(http.getRequest<FastifyRequest>());
    const reply = http.getResponse<FastifyReply>();
    // Fastify's own `handlerTimeout` is of no use: it is cleared once the body has been read (5.12.8).
    const expired = () =>
      throwError(() => new ServiceUnavailable('The request took too long.', { code: 'timeout' }));
    return next.handle().pipe(
      timeout({ first: this.config.HANDLER_TIMEOUT_MS, with: expired }),
      map((result: unknown) => shape(result, endpoint, reply)),
    );
  }

  /** A declared query has a schema, which refuses what it does not know. */
  private declaresQuery(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    const known = this.takesQuery.get(handler);
    if (known !== undefined) return known;
    const declared = (Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name) ??
      {}) as object;
    const takes = Object.keys(declared).some((key) => key.startsWith(`${queryArgument}:`));
    this.takesQuery.set(handler, takes);
    return takes;
  }
}

/** Nest's `RouteParamtypes.QUERY` (it exports no such enum). */
const queryArgument = 4;

function refuseQuery({ query }: FastifyRequest): void {
  const names = Object.keys(query as object);
  if (names.length === 0) return;
  throw new ValidationFailed(
    names.slice(0, 50).map((name) => ({
      pointer: `/${name.slice(0, 100)}`,
      code: 'unknown_field',
      message: 'is not a known parameter',
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
