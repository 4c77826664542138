import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { ENDPOINT, type EndpointOptions } from './endpoint.js';
import { Reply } from './reply.js';

/** Sends what a handler returned through the endpoint's schema, so that nothing leaves that is not declared. */
@Injectable()
export class ResponseInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const endpoint = this.reflector.get<EndpointOptions | undefined>(ENDPOINT, context.getHandler());
    if (endpoint === undefined) return next.handle();
    const http = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(map((result: unknown) => shape(result, endpoint, http)));
  }
}

function shape(result: unknown, endpoint: EndpointOptions, http: FastifyReply): unknown {
  const { body, options }: Reply = result instanceof Reply ? (result as Reply) : new Reply(result);
  if (options.status !== undefined) http.code(options.status);
  if (options.headers !== undefined) http.headers(options.headers);
  if (options.status === 304) return undefined;
  return options.isFinal || endpoint.response === null ? body : endpoint.response.parse(body);
}
