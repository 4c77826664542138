import { createHash } from 'node:crypto';
import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { Unauthenticated } from '../errors/common-errors.js';
import { IS_PUBLIC } from '../http/endpoint.js';
import type { VerifiedToken } from './access-token.strategy.js';
import { refuse, setPrincipal } from './principal.js';
import { VerificationKeys } from './security.ports.js';

const maxTokens = 20_000;

/**
 * The first of the guards of every route that does not say `@Public()`: whose the token is, by its signature. Whether
 * its session stands is for `SessionGuard`, after the call has been counted; so is the refusal of a bad one.
 */
@Injectable()
export class AccessTokenGuard extends AuthGuard('access-token') {
  /** By the hash of the whole token: what it says is not trusted before its signature was seen to be good. */
  private readonly verified = new LRUCache<string, VerifiedToken>({ max: maxTokens });

  constructor(
    private readonly reflector: Reflector,
    private readonly keys: VerificationKeys,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, targets)) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const hash = createHash('sha256')
      .update(request.headers.authorization ?? '')
      .digest('base64url');
    const known = this.verified.get(hash);
    if (known !== undefined && this.isGood(known)) {
      setPrincipal(request, known.principal, hash, known.expiresAt);
      return true;
    }
    try {
      await super.canActivate(context);
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error;
      refuse(request, error);
    }
    return true;
  }

  override handleRequest<T>(error: unknown, token: T | false, info: unknown, context: ExecutionContext): T {
    if (error instanceof Error) throw error;
    if (!token) throw rejection(info);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const hash = createHash('sha256')
      .update(request.headers.authorization ?? '')
      .digest('base64url');
    const verified = token as unknown as VerifiedToken;
    this.verified.set(hash, verified);
    setPrincipal(request, verified.principal, hash, verified.expiresAt);
    return token;
  }

  /** The end of the token, and of its key, are looked at each time. */
  private isGood({ kid, expiresAt }: VerifiedToken): boolean {
    return expiresAt > Date.now() && this.keys.find(kid) !== null;
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
