import type { Readable } from 'node:stream';
import type { Outcome } from '../database/idempotency.js';
import type { Serialized } from '../cache/serialized.js';
import { partOf } from '../ids/uuid.js';
import { etagOf, type Conditions } from './etag.js';

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

  /** A value with its ETag. With conditions: 304 where the client has that version. @throws VersionMismatch where it wants another */
  static versioned<T>(value: T, etag: string, conditions?: Conditions): Reply<T | undefined> {
    return conditions?.isNotModified(etag) === true ? Reply.notModified({ etag }) : Reply.of(value, { etag });
  }

  /** The same of JSON that is ready to send. */
  static json(json: string, etag: string, conditions?: Conditions): Reply<string | undefined> {
    if (conditions?.isNotModified(etag) === true) return Reply.notModified({ etag });
    return new Reply(json, { etag, 'content-type': 'application/json; charset=utf-8' }, null, true);
  }

  /**
   * The same of JSON with the hash of its bytes as its version. Users may have the same bytes, such as an empty list: the part of
   * the id keeps one from being told that his copy is current where it is the other's.
   */
  static serialized<T>(
    { json, hash }: Serialized<T>,
    { userId, conditions }: { readonly userId: string; readonly conditions: Conditions },
    more: Headers = {},
  ): Reply<string | undefined> {
    const headers = { ...more, etag: etagOf(`${hash}-${partOf(userId)}`) };
    if (conditions.isNotModified(headers.etag)) return Reply.notModified(headers);
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
