import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { userScope } from '../../platform/context/scope.js';
import type { Answered } from '../../platform/context/answered.js';
import { Database } from '../../platform/database/database.js';
import { timeAfter } from '../../platform/database/stored-times.js';
import { uuidv7 } from '../../platform/ids/uuid.js';
import { SessionRegistry } from '../access/access.port.js';
import type { Credentials } from '../accounts.service.js';
import { CONFIG } from '../../platform/config/config.token.js';
import type { AuthConfig } from '../auth.config.js';
import { auth } from '../auth.port.js';
import type { ClientInfo } from './client-info.js';
import { SessionEntity } from './session.entity.js';

/**
 * A session stands. `revoked_at` is asked besides `ends_at`, whose comparison would bring an ended
 * session back for a moment after a failover to a server with a slower clock.
 */
export const standing = 'revoked_at IS NULL AND ends_at > now()';

/** A session may be ended from another device, of which no token of this one knows. */
const endedByOthers = { isOwnOnly: false };

/** What an access token says of its session. */
export interface SessionGrant {
  readonly sessionId: string;
  readonly userId: string;
  readonly authenticatedAt: Date;
}

@Injectable()
export class SessionsService extends SessionRegistry {
  readonly feature = auth;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG)
    private readonly config: Pick<AuthConfig, 'REFRESH_IDLE_DAYS' | 'SESSION_ABSOLUTE_DAYS'>,
  ) {
    super();
  }

  async findEnd(sessionId: string, userId: string): Promise<Answered<Date | null>> {
    const [row] = await this.database.read(
      (manager) =>
        manager.query<{ ends_at: Date }[]>(
          `SELECT ends_at FROM auth.sessions WHERE id = $1 AND user_id = $2 AND ${standing}`,
          [sessionId, userId],
        ),
      endedByOthers,
    );
    return { value: row?.ends_at ?? null };
  }

  async revokeAll(userId: string): Promise<void> {
    await this.database.write((manager) => this.revoke(manager, userId), { scopes: [userScope(userId)] });
  }

  /** Ends the sessions of a user, all but `exceptId`, within a transaction of the caller. */
  async revoke(manager: EntityManager, userId: string, exceptId: string | null = null): Promise<void> {
    await manager.query(
      `UPDATE auth.sessions SET revoked_at = ${timeAfter('last_used_at')}
       WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL`,
      [userId, exceptId],
    );
  }

  /**
   * Begins a session for whoever proved `credentials`. The lock on the account orders it with a
   * change of the password: either that has happened, and the old hash no longer matches, or it
   * waits and then ends this session with the others.
   *
   * @returns null where the password has been changed meanwhile or the account is gone
   */
  async open(
    credentials: Credentials,
    refreshHash: Buffer,
    client: ClientInfo,
  ): Promise<SessionGrant | null> {
    const { SESSION_ABSOLUTE_DAYS, REFRESH_IDLE_DAYS } = this.config;
    const [grant] = await this.database.write(
      (manager) =>
        manager.query<SessionGrant[]>(
          `INSERT INTO auth.sessions (id, user_id, refresh_hash, user_agent, ip, expires_at, idle_expires_at)
         SELECT $1, id, $2, $3, $4, now() + make_interval(days => $5), now() + make_interval(days => $6)
         FROM auth.accounts WHERE id = $7 AND password_hash = $8 FOR SHARE
         RETURNING id AS "sessionId", user_id AS "userId", authenticated_at AS "authenticatedAt"`,
          [
            ...[uuidv7(), refreshHash, client.userAgent, client.ip],
            ...[SESSION_ABSOLUTE_DAYS, REFRESH_IDLE_DAYS, credentials.id, credentials.passwordHash],
          ],
        ),
      { scopes: [userScope(credentials.id)] },
    );
    return grant ?? null;
  }

  /** Ends one session. Returns false where the user has no such session (any more). */
  async end(userId: string, sessionId: string): Promise<boolean> {
    const [, count] = await this.database.write(
      (manager) =>
        manager.query<[unknown, number]>(
          `UPDATE auth.sessions SET revoked_at = ${timeAfter('last_used_at')}
           WHERE id = $1 AND user_id = $2 AND ${standing}`,
          [sessionId, userId],
        ),
      { scopes: [userScope(userId)] },
    );
    return count > 0;
  }

  /** The user's standing sessions, the latest login first, after the session `afterId`. */
  list(userId: string, page: { limit: number; afterId: string | null }): Promise<SessionEntity[]> {
    return this.database.read(
      (manager) =>
        manager
          .createQueryBuilder(SessionEntity, 'session')
          .where(`session.user_id = :userId AND ${standing}`, { userId })
          .andWhere('(CAST(:afterId AS uuid) IS NULL OR session.id < :afterId)', { afterId: page.afterId })
          .orderBy('session.id', 'DESC')
          .limit(page.limit)
          .getMany(),
      endedByOthers,
    );
  }
}
