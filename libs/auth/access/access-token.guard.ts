import { createHash } from 'node:crypto';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../../platform/context/caller.js';
import { Unauthenticated } from '../../platform/errors/common-errors.js';
import { isPublic } from '../../platform/http/endpoint.js';
import { VerificationKeys } from './access.port.js';
import { EndedSessions } from './ended-sessions.js';
import {
  bearerTokenOf,
  InvalidAccessToken,
  SessionEnded,
  type TokenCaller,
} from './access-token.strategy.js';

const maxTokens = 10_000;
/** Characters of their headers. One has 600, but blanks may be added to it. */
const maxTokenLength = 8_000_000;

/** A caller with its token. */
export interface VerifiedCaller extends TokenCaller {
  /** SHA-256 of the whole `Authorization` header. */
  readonly tokenHash: string;
}

/**
 * Finds out who calls, by the signature of the token, on every route that is not `@Public()`. It runs before the body is
 * read and refuses nothing: a call with a bad token is counted before `AuthenticationGuard` refuses it.
 */
@Injectable()
export class AccessTokenGuard extends AuthGuard('access-token') {
  /** By the whole `Authorization` header: nothing that it says is trusted before its signature was verified. */
  private readonly verified = new LRUCache<string, VerifiedCaller>({
    max: maxTokens,
    maxSize: maxTokenLength,
    sizeCalculation: (_, header) => header.length + 1,
  });

  constructor(
    keys: VerificationKeys,
    private readonly ended: EndedSessions,
  ) {
    super();
    // A token of a key that was retired must not be accepted any longer.
    keys.onChange(() => this.verified.clear());
  }

  override canActivate(context: ExecutionContext): true | Promise<boolean> {
    if (isPublic(context.getClass(), context.getHandler())) return true;
    const request = requestOf(context);
    const cached = this.verified.get(request.headers.authorization ?? '');
    if (cached === undefined || cached.tokenExpiresAt <= Date.now()) return this.verify(context, request);
    return this.begin(request, cached);
  }

  /** Called by passport with what the strategy returned; what it returns becomes `request.user`. */
  override handleRequest<T>(error: unknown, caller: T | false, info: unknown, context: ExecutionContext): T {
    if (error instanceof Error) throw error;
    const request = requestOf(context);
    if (!caller) throw rejection(info, request);
    const verified = { ...(caller as T & TokenCaller), tokenHash: hashOf(request) };
    this.verified.set(request.headers.authorization ?? '', verified);
    return verified;
  }

  private async verify(context: ExecutionContext, request: FastifyRequest): Promise<boolean> {
    try {
      await super.canActivate(context);
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error;
      request.refusal = error;
    }
    return this.begin(request, request.user);
  }

  private begin(request: FastifyRequest, caller: Caller | undefined): true {
    const hasEnded = caller !== undefined && this.ended.has(caller);
    if (hasEnded) request.refusal = new SessionEnded();
    const current = hasEnded ? undefined : caller;
    request.user = current;
    if (request.call !== null) request.call.caller = current ?? null;
    return true;
  }
}

/** Refuses a call without a valid token, after it has been counted, unless the route is `@Public()`. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { user, refusal } = requestOf(context);
    if (user !== undefined || isPublic(context.getClass(), context.getHandler())) return true;
    throw refusal ?? new Unauthenticated();
  }
}

const requestOf = (context: ExecutionContext): FastifyRequest => context.getArgByIndex<FastifyRequest>(0);

const hashOf = ({ headers }: FastifyRequest): string =>
  createHash('sha256')
    .update(headers.authorization ?? '')
    .digest('base64url');

/** passport-jwt gives the reason in `info`; the client learns only whether to refresh. */
function rejection(info: unknown, { headers }: FastifyRequest): Error {
  if (info instanceof Unauthenticated) return info;
  if (bearerTokenOf(headers.authorization) === null) return new Unauthenticated();
  if (info instanceof jwt.TokenExpiredError)
    return new Unauthenticated('The access token has expired.', 'invalid_token');
  return new InvalidAccessToken();
}
