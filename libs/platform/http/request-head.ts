import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { MalformedRequest } from '../errors/common-errors.js';
import { HttpError } from './http-error.js';

/**
 * The path and query of a target in absolute form (RFC 9112, 3.2.2), which every server must take. Its host is not looked at, as
 * that of the `Host` header is not: nothing that is answered depends on either.
 */
function targetOf(url: string): string {
  const [, rest] = /^https?:\/\/[^/?#]*(.*)$/i.exec(url) ?? [];
  if (rest === undefined) return url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Refuses what RFC 9110 and RFC 9112 want refused and Node lets through, before anything else reads the request, and takes what they
 * want taken.
 */
export function judgeHeads(fastify: FastifyInstance): void {
  // Before Fastify's own listener. Its `rewriteUrl` would add to the work of each request.
  fastify.server.prependListener('request', (raw: IncomingMessage) => {
    if (raw.url?.startsWith('/') === false) raw.url = targetOf(raw.url);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    const fault = faultOf(request);
    if (fault !== null) {
      done(fault);
      return;
    }
    // The type of nothing does not matter, and many clients send one with each request.
    if (request.headers['content-type'] !== undefined && !hasContent(request))
      delete request.headers['content-type'];
    done();
  });
}

function faultOf(request: FastifyRequest): Error | null {
  const { headers, raw } = request;
  if (raw.httpVersionMajor !== 1)
    return new HttpError(505, 'http_version_not_supported', 'This server speaks HTTP/1.0 and HTTP/1.1.');
  if (
    headers.host === undefined
      ? raw.httpVersion === '1.1'
      : !isHost(headers.host) || isRepeated(raw.rawHeaders)
  )
    return new MalformedRequest('A request needs one valid Host header.');
  const transfer = headers['transfer-encoding'];
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked')
    return new HttpError(501, 'not_implemented', 'The only transfer coding that is read is "chunked".');
  const content = headers['content-encoding'];
  if (content !== undefined && content.toLowerCase() !== 'identity' && hasContent(request))
    return new HttpError(415, 'unsupported_content_encoding', 'A body must not be compressed.', {
      'accept-encoding': 'identity',
    });
  return null;
}

/** Those that clients name, of which there are few. */
const validHosts = new LRUCache<string, true>({ max: 100 });

function isHost(host: string): boolean {
  if (validHosts.has(host)) return true;
  if (!isHostSyntax(host)) return false;
  validHosts.set(host, true);
  return true;
}

/** A name, an IPv4 or IPv6 address, and a port that may be empty (RFC 3986, 3.2.2 and 3.2.3). No name has a comma: those are two. */
const isHostSyntax = (host: string): boolean =>
  /^(?:[\w.~!$&'()*+;=-]|%[0-9a-f]{2})+(?::\d{0,5})?$/i.test(host) ||
  /^\[[0-9a-f:.]+\](?::\d{0,5})?$/i.test(host);

/** Node keeps the first one of several. `rawHeaders`: names and values in turns. */
function isRepeated(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count > 1;
}

const hasContent = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
