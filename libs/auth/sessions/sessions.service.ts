import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { userScope } from '../../platform/context/scope.js';
import type { Answered } from '../../platform/context/answered.js';
import { Database } from '../../platform/database/database.js';
import { timeAfter } from '../../platform/database/stored-times.js';
import { SessionRegistry } from '../access/access.port.js';
import { auth } from '../auth.port.js';
import { SessionEntity } from './session.entity.js';

/**
 * A session stands. `revoked_at` is asked besides `ends_at`, whose comparison would bring an ended
 * session back for a moment after a failover to a server with a slower clock.
 */
export const standing = 'revoked_at IS NULL AND ends_at > now()';

/** A session may be ended from another device, of which no token of this one knows. */
const endedByOthers = { isOwnOnly: false };

@Injectable()
export class SessionsService extends SessionRegistry {
  readonly feature = auth;

  constructor(private readonly database: Database) {
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
