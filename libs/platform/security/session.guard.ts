import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Cache } from '../cache/cache.js';
import { Caches } from '../cache/caches.js';
import { Unauthenticated } from '../errors/common-errors.js';
import { callerOf, refusalOf } from './principal.js';
import { SessionRegistry } from './security.ports.js';

const dayMs = 86_400_000;
const stands = { body: Buffer.from('1'), headers: {} };

/** The last of the guards: whether the session of the token still stands. */
@Injectable()
export class SessionGuard implements CanActivate {
  private readonly cache: Cache;

  constructor(
    private readonly sessions: SessionRegistry,
    caches: Caches,
  ) {
    this.cache = caches.named({ name: 'sessions', ttlMs: dayMs, features: [sessions.feature] });
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const refusal = refusalOf(request);
    if (refusal !== undefined) throw refusal;
    const caller = callerOf(request);
    if (caller === undefined) return true;
    const { principal, tokenHash, expiresAt } = caller;
    await this.cache.through(tokenHash, async () => {
      const end = await this.sessions.findEnd(principal.sessionId, principal.userId);
      if (end === null) throw new Unauthenticated('The session of this token has ended.', 'invalid_token');
      return { ...stands, expiresAt: Math.min(expiresAt, end.getTime()) };
    });
    return true;
  }
}
