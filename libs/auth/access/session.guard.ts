import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Cache } from '../../platform/cache/cache.js';
import { valueCache } from '../../platform/cache/define-cache.js';
import type { Caller } from '../../platform/context/caller.js';
import { instantOut } from '../../platform/schemas/fields.js';
import { auth } from '../auth.port.js';
import { SessionRegistry } from './access.port.js';
import { EndedSessions } from './ended-sessions.js';
import { SessionEnded } from './access-token.strategy.js';
import type { VerifiedCaller } from './access-token.guard.js';

const dayMs = 86_400_000;

/** Ends of active sessions, by the token that belongs to them. */
export const sessionEnds = valueCache(
  { name: 'sessions', ttlMs: dayMs, dependsOn: [auth] },
  z.strictObject({ endsAt: instantOut() }),
);

/** The last of the guards: whether the session of the token is still active. */
@Injectable()
export class SessionGuard implements CanActivate {
  constructor(
    private readonly sessions: SessionRegistry,
    private readonly ended: EndedSessions,
    @Inject(sessionEnds.token) private readonly cache: Cache<{ readonly endsAt: Date }>,
  ) {}

  canActivate(context: ExecutionContext): true | Promise<true> {
    const { user } = context.getArgByIndex<FastifyRequest>(0);
    if (user === undefined || !isVerified(user)) return true;
    const { userId, sessionId, tokenHash, tokenExpiresAt } = user;
    const found = this.cache.through(tokenHash, async () => {
      const { value: endsAt, ...known } = await this.sessions.findEnd(sessionId, userId);
      if (endsAt === null) {
        this.ended.add(user);
        throw new SessionEnded();
      }
      return { ...known, value: { endsAt }, expiresAt: Math.min(tokenExpiresAt, endsAt.getTime()) };
    });
    return found instanceof Promise ? found.then(() => true) : true;
  }
}

const isVerified = (caller: Caller): caller is VerifiedCaller => 'tokenHash' in caller;
