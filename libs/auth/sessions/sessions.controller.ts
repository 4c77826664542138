import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { ResponseHeaders, Returns, ReturnsNothing, Summary, Writes } from '../../platform/http/endpoint.js';
import { Reply } from '../../platform/http/reply.js';
import { uuid } from '../../platform/schemas/fields.js';
import { CurrentUser } from '../../platform/http/call-adapter.js';
import type { Caller } from '../../platform/context/caller.js';
import { SessionNotFound } from '../auth.errors.js';
import { decodeCursor, encodeCursor } from './session-cursor.js';
import type { SessionEntity } from './session.entity.js';
import {
  sessionIdSchema,
  sessionPageSchema,
  sessionQuerySchema,
  type SessionQuery,
  type SessionView,
} from './sessions.schemas.js';
import { SessionsService } from './sessions.service.js';

const anyId = uuid();

@Controller('/v1/auth/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @Summary('List your sessions')
  @Returns(200, sessionPageSchema)
  @ResponseHeaders('link')
  async list(
    @CurrentUser() { userId, sessionId }: Caller,
    @Query({ schema: sessionQuerySchema }) { limit, cursor }: SessionQuery,
  ) {
    const afterId = cursor === undefined ? null : decodeCursor(cursor);
    const found = await this.sessions.list(userId, { limit: limit + 1, afterId });
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1) : undefined;
    const next = last === undefined ? null : encodeCursor(last.id);
    const page = {
      data: shown.map((session) => view(session, sessionId)),
      next_cursor: next,
      has_more: next !== null,
    };
    const link = `</v1/auth/sessions?limit=${limit}&cursor=${next ?? ''}>; rel="next"`;
    return Reply.of(page, next === null ? {} : { link });
  }

  @Delete(':id')
  @Summary('End one of your sessions')
  @ReturnsNothing(204)
  @Writes()
  async end(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: sessionIdSchema }) id: string,
  ): Promise<void> {
    const isEnded = anyId.safeParse(id).success && (await this.sessions.end(userId, id));
    if (!isEnded) throw new SessionNotFound();
  }
}

function view(session: SessionEntity, currentId: string): SessionView {
  return {
    id: session.id,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    expires_at: session.endsAt,
    user_agent: session.userAgent,
    ip: session.ip,
    current: session.id === currentId,
  };
}
