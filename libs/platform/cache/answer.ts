import { createHash } from 'node:crypto';
import { isNotModified } from '../http/etag.js';
import { Reply } from '../http/reply.js';
import type { CachedAnswer } from './memory-layer.js';

/** A value as the bytes that go out; their hash is the ETag unless one is given. The value has been through its schema. */
export function answerOf(value: unknown, headers: Readonly<Record<string, string>> = {}): CachedAnswer {
  const body = Buffer.from(JSON.stringify(value));
  const etag = () => `"${createHash('sha1').update(body).digest('base64url')}"`;
  return { body, headers: { ...headers, etag: headers['etag'] ?? etag() } };
}

/** Sends the bytes, or 304 where the client has them. */
export function replyWith({ body, headers }: CachedAnswer, ifNoneMatch: string | undefined): Reply {
  if (isNotModified(ifNoneMatch, headers['etag'] ?? ''))
    return new Reply(undefined, { status: 304, headers });
  return new Reply(body, {
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    isFinal: true,
  });
}
