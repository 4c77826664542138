import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from './endpoint.js';
import { Reply } from './reply.js';
import type { ResponseHeaders } from './response-headers.js';

/**
 * Sends what a handler answered. Text and bytes go to Node's own response at once, with all headers in one list: Fastify's
 * `send` would look at both again. Everything else, such as a stream, goes through Fastify.
 */
export function sendAnswer(
  result: unknown,
  {
    request,
    reply,
    endpoint,
    headers,
    declared,
  }: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly endpoint: Endpoint;
    readonly headers: ResponseHeaders;
    /** Of every success of the handler. */
    readonly declared: Readonly<Record<string, string>>;
  },
): void {
  const answer: Reply = result instanceof Reply ? (result as Reply) : Reply.of(result);
  const status = answer.status ?? endpoint.status;
  const body = bodyOf(answer, endpoint);
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) {
    void reply.code(status).headers(declared).headers(answer.headers).send(body);
    return;
  }
  let encoding: BufferEncoding = 'utf8';
  const all = headers.of(request, reply, answer.headers);
  for (const name in declared) all.push(name, declared[name] ?? '');
  if (body !== undefined) {
    if (!('content-type' in answer.headers)) all.push('content-type', 'application/json; charset=utf-8');
    request.bodyBytes = Buffer.byteLength(body);
    // Where each character is one byte, Node copies them instead of encoding them.
    if (request.bodyBytes === body.length) encoding = 'latin1';
    all.push('content-length', String(request.bodyBytes));
  } else if (status !== 204 && status !== 304) all.push('content-length', '0');
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(status, all);
  raw.end(body, encoding);
}

/** Ready to send, or JSON by the schema of the endpoint. Undefined where there is none. */
function bodyOf({ isFinal, body, headers }: Reply, { response }: Endpoint): unknown {
  if (body === undefined || body === null) return undefined;
  if (isFinal && (typeof body === 'string' || Buffer.isBuffer(body) || 'content-type' in headers))
    return body;
  return JSON.stringify(isFinal || response === null ? body : response.parse(body));
}
