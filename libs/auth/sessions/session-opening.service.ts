import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '../../platform/config/config.token.js';
import { userScope } from '../../platform/context/scope.js';
import { Database } from '../../platform/database/database.js';
import { Outbox } from '../../platform/events/outbox.js';
import { uuidv7 } from '../../platform/ids/uuid.js';
import { networkOf } from '../../platform/throttling/network.js';
import type { Credentials } from '../accounts.service.js';
import type { AuthConfig } from '../auth.config.js';
import { accountMailRequested } from '../mails/mail.events.js';
import { describeDevice, programOf, type ClientInfo } from './client-info.js';

/** What an access token says of its session. */
export interface SessionGrant {
  readonly sessionId: string;
  readonly userId: string;
  readonly authenticatedAt: Date;
}

interface Opened extends SessionGrant {
  readonly email: string;
  /** Another session of the same program in the same network is stored. */
  readonly isKnownDevice: boolean;
  /** Registered today and logged in for the first time, which is no news. */
  readonly isFirst: boolean;
}

@Injectable()
export class SessionOpeningService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    @Inject(CONFIG)
    private readonly config: Pick<AuthConfig, 'REFRESH_IDLE_DAYS' | 'SESSION_ABSOLUTE_DAYS'>,
  ) {}

  /**
   * Begins a session for whoever proved `credentials`, and asks for a mail to the user if the device is new. The lock on the
   * account orders it with a change of the password: either that has happened, and the old hash no longer matches, or it waits
   * and then ends this session with the others.
   *
   * @returns null where the password has been changed meanwhile or the account is gone
   */
  open(credentials: Credentials, refreshHash: Buffer, client: ClientInfo): Promise<SessionGrant | null> {
    const { SESSION_ABSOLUTE_DAYS, REFRESH_IDLE_DAYS } = this.config;
    return this.database.write(
      async (manager) => {
        const [opened] = await manager.query<Opened[]>(openSession, [
          ...[uuidv7(), refreshHash, client.userAgent, client.ip],
          ...[SESSION_ABSOLUTE_DAYS, REFRESH_IDLE_DAYS, credentials.id, credentials.passwordHash],
          ...[networkOf(client.ip), programOf(client)],
        ]);
        if (opened === undefined) return null;
        const { email, isKnownDevice, isFirst, ...grant } = opened;
        if (!isKnownDevice && !isFirst)
          await this.outbox.append(manager, accountMailRequested, {
            ...{ kind: 'new_device' as const, user_id: grant.userId, email },
            ...{ device: describeDevice(client), ip: client.ip },
          });
        return grant;
      },
      { scopes: [userScope(credentials.id)] },
    );
  }
}

/** Sub-selects of RETURNING see the table as it was before. */
const openSession = `
  INSERT INTO auth.sessions (id, user_id, refresh_hash, user_agent, ip, network, expires_at, idle_expires_at)
  SELECT $1, id, $2, $3, $4, $9, now() + make_interval(days => $5), now() + make_interval(days => $6)
  FROM auth.accounts WHERE id = $7 AND password_hash = $8 FOR SHARE
  RETURNING id AS "sessionId", user_id AS "userId", authenticated_at AS "authenticatedAt",
    (SELECT lower(email) FROM auth.accounts WHERE accounts.id = user_id) AS email,
    EXISTS (SELECT FROM auth.sessions earlier WHERE earlier.user_id = sessions.user_id
      AND coalesce(earlier.network, earlier.ip) = $9
      AND regexp_replace(coalesce(earlier.user_agent, ''), '[0-9._]+', '', 'g') = $10) AS "isKnownDevice",
    NOT EXISTS (SELECT FROM auth.sessions earlier WHERE earlier.user_id = sessions.user_id)
      AND (SELECT created_at > now() - interval '1 day' FROM auth.accounts WHERE accounts.id = user_id) AS "isFirst"`;
