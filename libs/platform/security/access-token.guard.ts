import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Unauthenticated } from '../errors/common-errors.js';
import { IS_PUBLIC } from '../http/endpoint.js';
import { setPrincipal, type Principal } from './principal.js';

/** Global: an endpoint needs a token unless it says `@Public()`. */
@Injectable()
export class AccessTokenGuard extends AuthGuard('access-token') {
  constructor(private readonly reflector: Reflector) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, targets)) return true;
    return (await super.canActivate(context)) as boolean;
  }

  override handleRequest<T>(
    error: unknown,
    principal: T | false,
    info: unknown,
    context: ExecutionContext,
  ): T {
    if (error instanceof Error) throw error;
    if (!principal) throw rejection(info);
    setPrincipal(context.switchToHttp().getRequest<FastifyRequest>(), principal as unknown as Principal);
    return principal;
  }
}

/** passport-jwt tells why in `info`; the client learns only whether to refresh. */
function rejection(info: unknown): Error {
  if (info instanceof Unauthenticated) return info;
  if (!(info instanceof Error) || info.message === 'No auth token') return new Unauthenticated();
  if (info.name === 'TokenExpiredError')
    return new Unauthenticated('The access token has expired.', 'invalid_token');
  return new Unauthenticated('The access token is not one of ours.', 'invalid_token');
}
