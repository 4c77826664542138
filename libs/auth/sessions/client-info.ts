import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Where a login comes from, for the list of sessions. */
export interface ClientInfo {
  /** Of the client, past the proxies that are trusted by configuration. */
  readonly ip: string;
  /** At most 200 characters of it. */
  readonly userAgent: string | null;
}

export const Client = createParamDecorator((_: unknown, context: ExecutionContext): ClientInfo => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return { ip: request.ip, userAgent: request.headers['user-agent']?.slice(0, 200) ?? null };
});
