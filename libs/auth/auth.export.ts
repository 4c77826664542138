import { Injectable } from '@nestjs/common';
import { ExportSource } from '../users/export.port.js';
import { AccountsService } from './accounts.service.js';
import type { SessionEntity } from './sessions/session.entity.js';
import { Sessions } from './sessions/sessions.service.js';

/** Sessions end by themselves, but nothing bounds how many one may begin. */
const mostSessions = 1000;

@Injectable()
export class AuthExport extends ExportSource {
  readonly name = 'auth';

  constructor(
    private readonly accounts: AccountsService,
    private readonly sessions: Sessions,
  ) {
    super();
  }

  async exportOf(userId: string): Promise<unknown> {
    const account = await this.accounts.find(userId);
    const sessions = await this.sessions.list(userId, { limit: mostSessions, afterId: null });
    return {
      email: account?.email,
      email_verified: account?.emailVerified,
      created_at: account?.createdAt.toISOString(),
      sessions: sessions.map(describe),
    };
  }
}

function describe(session: SessionEntity): object {
  return {
    id: session.id,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.endsAt.toISOString(),
    user_agent: session.userAgent,
    ip: session.ip,
  };
}
