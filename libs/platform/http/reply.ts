import type { Readable } from 'node:stream';
import type { Outcome } from '../database/idempotency.js';
import type { Serialized } from '../cache/serialized.js';
import { etagOf, isNotModified } from './etag.js';

type Headers = Readonly<Record<string, string>>;

/** What a handler answers when a value and the declared status are not all of it. */
export class Reply<T = unknown> {
  private constructor(
    readonly body: T,
    readonly headers: Headers,
    readonly status: number | null,
    /** The body is sent as it is; no schema is applied. */
    readonly isFinal: boolean,
  ) {}

  /** A value, which goes through the schema of the endpoint. */
  static of<T>(value: T, headers: Headers = {}): Reply<T> {
    return new Reply(value, headers, null, false);
  }

  /** A value with its ETag, or 304 where the client has that version. */
  static versioned<T>(value: T, etag: string, ifNoneMatch?: string): Reply<T | undefined> {
    return isNotModified(ifNoneMatch, etag) ? Reply.notModified({ etag }) : Reply.of(value, { etag });
  }

  /** JSON that is ready to send, with its ETag, or 304 where the client has that version. */
  static json(json: string, etag: string, ifNoneMatch: string | undefined): Reply<string | undefined> {
    if (isNotModified(ifNoneMatch, etag)) return Reply.notModified({ etag });
    return new Reply(json, { etag, 'content-type': 'application/json; charset=utf-8' }, null, true);
  }

  /** JSON with the hash of its bytes, or 304 where the client has them. */
  static serialized<T>(
    { json, hash }: Serialized<T>,
    ifNoneMatch: string | undefined,
    more: Headers = {},
  ): Reply<string | undefined> {
    const headers = { ...more, etag: etagOf(hash) };
    if (isNotModified(ifNoneMatch, headers.etag)) return Reply.notModified(headers);
    return new Reply(json, { ...headers, 'content-type': 'application/json; charset=utf-8' }, null, true);
  }

  /** JSON that is written while it is read. */
  static stream(json: Readable): Reply<Readable> {
    return new Reply(json, { 'content-type': 'application/json; charset=utf-8' }, null, true);
  }

  /**
   * What came of an idempotent call: `render` makes the answer of its value, at the first time and at each replay. A replay is
   * JSON already, see `Outcome`: no schema is applied to it.
   */
  static idempotent<T>(outcome: Outcome<T>, render: (value: T) => Reply): Reply {
    if (outcome.kind === 'stored-answer') {
      const { body, headers, status } = outcome.answer;
      return new Reply(body, { ...headers, ...replayed }, status, true);
    }
    if (outcome.kind === 'json') {
      const { headers } = render(JSON.parse(outcome.json) as T);
      return new Reply(
        outcome.json,
        { ...headers, 'content-type': 'application/json; charset=utf-8' },
        null,
        true,
      );
    }
    const reply = render(outcome.value);
    if (!outcome.isReplay) return reply;
    return new Reply(reply.body, { ...reply.headers, ...replayed }, reply.status, true);
  }

  private static notModified(headers: Headers): Reply<undefined> {
    return new Reply(undefined, headers, 304, true);
  }
}

const replayed: Headers = { 'idempotency-replayed': 'true' };
