import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../errors/domain-error.js';
import { Unauthenticated } from '../errors/common-errors.js';

export type Role = 'user' | 'admin';
export type Tier = 'free' | 'premium';

/** Who calls, as its verified access token says. */
export interface Principal {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Role;
  readonly tier: Tier;
  /** When the password was last given in this session. */
  readonly authenticatedAt: Date;
}

/** Who calls and by which token. */
export interface Caller {
  readonly principal: Principal;
  /** SHA-256 of the whole token. */
  readonly tokenHash: string;
  /** End of the token, in milliseconds of Unix time. */
  readonly expiresAt: number;
}

const callers = new WeakMap<object, Caller>();
const refusals = new WeakMap<object, Error>();

export function setPrincipal(
  request: FastifyRequest,
  principal: Principal,
  tokenHash: string,
  expiresAt: number,
): void {
  callers.set(request, { principal, tokenHash, expiresAt });
}

export const callerOf = (request: FastifyRequest): Caller | undefined => callers.get(request);

export const principalOf = (request: FastifyRequest): Principal | undefined =>
  callers.get(request)?.principal;

/** The token is no good: said once the call has been counted. */
export function refuse(request: FastifyRequest, refusal: Error): void {
  refusals.set(request, refusal);
}

export const refusalOf = (request: FastifyRequest): Error | undefined => refusals.get(request);

/** The caller, as a handler's parameter. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (principal === undefined) throw new Unauthenticated();
  return principal;
});

/** @throws DomainError 403 `reauthentication_required` where the password was not given in the last 10 minutes */
export function requireRecentLogin(principal: Principal, now = new Date()): void {
  if (now.getTime() - principal.authenticatedAt.getTime() <= 10 * 60_000) return;
  throw new DomainError({
    status: 403,
    code: 'reauthentication_required',
    detail: 'Log in again and repeat this within 10 minutes.',
  });
}
