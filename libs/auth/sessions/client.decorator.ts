import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { addressOf } from '../../platform/http/client-address.js';
import type { ClientInfo } from './client-info.js';

/** Where the request comes from, as a handler's parameter. */
export const Client = createParamDecorator((_: unknown, context: ExecutionContext): ClientInfo => {
  const request = context.getArgByIndex<FastifyRequest>(0);
  return { ip: addressOf(request), userAgent: request.headers['user-agent']?.slice(0, 200) ?? null };
});
