import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { userScope } from '../../platform/context/scope.js';
import { Database } from '../../platform/database/database.js';
import { timeAfter } from '../../platform/database/stored-times.js';
import { CONFIG } from '../../platform/config/config.token.js';
import type { AuthConfig } from '../auth.config.js';
import { networkOf } from '../../platform/throttling/network.js';
import type { SessionGrant } from '../sessions/session-opening.service.js';
import { standing } from '../sessions/sessions.service.js';

/** Outcome of a refresh. */
export type Rotation =
  | { readonly outcome: 'rotated'; readonly grant: SessionGrant }
  /** Rotated a moment ago: two requests raced, or an answer was lost. Nothing was revoked. */
  | { readonly outcome: 'superseded' }
  /** Rotated earlier: of the two holders one is a thief. The session has been revoked. */
  | { readonly outcome: 'reused'; readonly sessionId: string; readonly userId: string }
  | { readonly outcome: 'unknown' };

export interface SessionOfToken {
  readonly sessionId: string;
  readonly userId: string;
}

interface UsedToken extends SessionOfToken {
  readonly isRecent: boolean;
  readonly isStanding: boolean;
}

/**
 * Refresh token rotation with detection of reuse (RFC 9700, 4.14.2). A session has one current
 * token; the hashes of those before it are kept as long as the session, so that an old one is
 * known for what it is and a guess is not: nobody can end a session by making up a token.
 */
@Injectable()
export class RefreshTokensService {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG)
    private readonly config: Pick<AuthConfig, 'REFRESH_GRACE_SECONDS' | 'REFRESH_IDLE_DAYS'>,
  ) {}

  /** The session whose current token this is; null for any other. Consistency: primary. */
  async findSession(hash: Buffer): Promise<SessionOfToken | null> {
    const [row] = await this.database.read((manager) =>
      manager.query<SessionOfToken[]>(
        `SELECT id AS "sessionId", user_id AS "userId" FROM auth.sessions WHERE refresh_hash = $1 AND ${standing}`,
        [hash],
      ),
    );
    return row ?? null;
  }

  /** Puts `next` in the place of `current`, or tells why not, and revokes the session where that is due. `ip`: of the client now. */
  exchange(userId: string, current: Buffer, next: Buffer, ip: string): Promise<Rotation> {
    const run = async (manager: EntityManager): Promise<Rotation> => {
      const grant = await this.rotate(manager, current, next, ip);
      return grant === null ? this.judge(manager, current) : { outcome: 'rotated', grant };
    };
    return this.database.write(run, { scopes: [userScope(userId)] });
  }

  /** Judges a token that is not the current one of a session. */
  async refuse(hash: Buffer): Promise<Rotation> {
    const used = await this.database.read((manager) => this.findUsed(manager, hash));
    if (used === null) return { outcome: 'unknown' };
    return this.database.write((manager) => this.judge(manager, hash), { scopes: [userScope(used.userId)] });
  }

  /** One statement: of any number of requests with one token, the row's lock lets one through. */
  private async rotate(
    manager: EntityManager,
    current: Buffer,
    next: Buffer,
    ip: string,
  ): Promise<SessionGrant | null> {
    const [grant] = await manager.query<SessionGrant[]>(
      `WITH rotated AS (
         UPDATE auth.sessions
         SET refresh_hash = $2, last_used_at = ${timeAfter('last_used_at')}, idle_expires_at = now() + make_interval(days => $3),
           ip = $4, network = $5
         WHERE refresh_hash = $1 AND ${standing}
         RETURNING id, user_id, authenticated_at
       ), used AS (
         INSERT INTO auth.used_refresh_tokens (hash, session_id, used_at) SELECT $1, id, clock_timestamp() FROM rotated
       )
       SELECT id AS "sessionId", user_id AS "userId", authenticated_at AS "authenticatedAt" FROM rotated`,
      [current, next, this.config.REFRESH_IDLE_DAYS, ip, networkOf(ip)],
    );
    return grant ?? null;
  }

  private async findUsed(manager: EntityManager, hash: Buffer): Promise<UsedToken | null> {
    const [used] = await manager.query<UsedToken[]>(
      `SELECT session.id AS "sessionId", session.user_id AS "userId", ${standing} AS "isStanding",
              used.used_at > now() - make_interval(secs => $2) AS "isRecent"
       FROM auth.used_refresh_tokens used JOIN auth.sessions session ON session.id = used.session_id
       WHERE used.hash = $1`,
      [hash, this.config.REFRESH_GRACE_SECONDS],
    );
    return used ?? null;
  }

  private async judge(manager: EntityManager, hash: Buffer): Promise<Rotation> {
    const used = await this.findUsed(manager, hash);
    if (used === null) return { outcome: 'unknown' };
    const { sessionId, userId, isRecent, isStanding } = used;
    if (isRecent) return { outcome: isStanding ? 'superseded' : 'unknown' };
    await manager.query(
      `UPDATE auth.sessions SET revoked_at = ${timeAfter('last_used_at')} WHERE id = $1 AND revoked_at IS NULL`,
      [sessionId],
    );
    return { outcome: 'reused', sessionId, userId };
  }
}
