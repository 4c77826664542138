import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { splitAddress } from '../../platform/http/address.js';

/** The address of the request as the client sent it, without the host. */
export const RequestAddress = createParamDecorator(
  (_: unknown, context: ExecutionContext): string => context.switchToHttp().getRequest<FastifyRequest>().url,
);

/** `Link` (RFC 8288) to the next page of the same query; no header where there is none. */
export function nextLink(address: string, cursor: string | null): Readonly<Record<string, string>> {
  if (cursor === null) return {};
  const { path, query } = splitAddress(address);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return { link: `<${path}?${parameters.toString()}>; rel="next"` };
}
