import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Serialized } from '../../platform/cache/serialized.js';
import { splitAddress } from '../../platform/http/address.js';

/** The address of the request as the client sent it, without the host. */
export const RequestAddress = createParamDecorator(
  (_: unknown, context: ExecutionContext): string => context.getArgByIndex<FastifyRequest>(0).url,
);

interface Linked {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
}
const links = new WeakMap<Serialized<unknown>, Linked>();

/** The same for a page, kept with it: a cached page is asked for by one address, again and again. */
export function linkOfPage(page: Serialized<unknown>, address: string): Linked['headers'] {
  const known = links.get(page);
  if (known?.address === address) return known.headers;
  const headers = nextLink(address, page.attributes['next_cursor']);
  links.set(page, { address, headers });
  return headers;
}

/** `Link` (RFC 8288) to the next page of the same query; no header where there is none. */
export function nextLink(address: string, cursor: string | undefined): Readonly<Record<string, string>> {
  if (cursor === undefined) return {};
  const { path, query } = splitAddress(address);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return { link: `<${path}?${parameters.toString()}>; rel="next"` };
}
