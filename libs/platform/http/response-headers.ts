import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import helmet from 'helmet';
import { publicUrlOf } from '../config/public-url.js';
import type { ConsistencyTokens } from '../consistency/consistency-token.js';
import type { Health } from '../lifecycle/health.js';
import type { HttpConfig } from './http.config.js';
import type { Endpoint } from './endpoint.js';
import { addLimitHeaders } from './rate-limit-headers.js';

export interface ResponseHeadersOptions {
  readonly config: HttpConfig;
  readonly health: Health;
  readonly tokens: ConsistencyTokens;
}

type Headers = Readonly<Record<string, string>>;

/** The headers of every answer. */
export class ResponseHeaders {
  /** The same for all: names and values in turns. */
  private readonly shared: readonly string[];
  private readonly hasCors: boolean;

  constructor(private readonly options: ResponseHeadersOptions) {
    this.shared = securityHeaders(options.config);
    this.hasCors = options.config.CORS_ORIGINS.length > 0;
  }

  /** Of an answer that Fastify sends: problems, files, streams. A route may have set some of its own. */
  addTo(fastify: FastifyInstance): void {
    fastify.addHook('onSend', (request, reply, _payload, done) => {
      const all = this.of(request, reply, {});
      for (let n = 0; n < all.length; n += 2) {
        const name = all[n] ?? '';
        const own = reply.getHeader(name);
        if (own === undefined) void reply.header(name, all[n + 1]);
        else if (name === 'vary') void reply.header(name, `${String(own)}, ${all[n + 1]}`);
      }
      done();
    });
  }

  /** Names and values in turns, as Node takes them. */
  of(request: FastifyRequest, reply: FastifyReply, more: Headers): string[] {
    const all = [...this.shared, 'x-request-id', request.id];
    for (const name in more) all.push(name, more[name] ?? '');
    const { call, route } = request;
    if (route?.endpoint !== undefined) addCaching(all, route.endpoint, more);
    if (call !== null) {
      addLimitHeaders(call.limits, all);
      const { view } = call;
      if (view !== null && view.written.length > 0)
        all.push('consistency-token', this.options.tokens.issue(view.userId, view.proven));
      if (call.isBestEffort) all.push('consistency-level', 'best-effort');
    }
    // We stop: the client shall not send its next request on this connection.
    if (this.options.health.isStopping) all.push('connection', 'close');
    if (this.hasCors && !reply.sent) addOwn(all, reply);
    return all;
  }
}

/**
 * What may be kept and by whom (RFC 9111): an answer with an ETag by its user's own cache, which asks each time whether it is
 * current; all others by none. What a token decides is another answer for another token.
 */
function addCaching(all: string[], { isPublic, isConditional }: Endpoint, more: Headers): void {
  if (!('cache-control' in more)) all.push('cache-control', isConditional ? 'private, no-cache' : 'no-store');
  if (!isPublic) all.push('vary', 'authorization');
}

/** What fastify-cors has set. Its `vary` comes on top of ours. */
function addOwn(all: string[], reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined && (name === 'vary' || !all.includes(name))) all.push(name, String(value));
}

/** Helmet's headers are the same for each answer, so it is asked once. */
function securityHeaders(config: HttpConfig): string[] {
  const headers: string[] = [];
  const response = {
    setHeader: (name: string, value: string) => void headers.push(name, value),
    removeHeader: () => undefined,
  } as unknown as ServerResponse;
  const set = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: config.CORS_ORIGINS.length > 0 ? 'cross-origin' : 'same-origin' },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: publicUrlOf(config).startsWith('https:') ? { maxAge: 31_536_000 } : false,
  });
  let failure: unknown = null;
  set({} as never, response, (error?: unknown) => (failure = error ?? null));
  if (failure !== null || headers.length === 0)
    throw new Error('Helmet gave no headers.', { cause: failure });
  return headers;
}
