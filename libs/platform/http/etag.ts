import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { MalformedRequest, VersionMismatch, type VersionCondition } from '../errors/common-errors.js';

/** A strong ETag (RFC 9110, 8.8.3) of a version, or of a hash of the bytes. */
export const etagOf = (version: string | number): string => `"${version}"`;

/** The largest integer of Postgres. */
const maxVersion = 2 ** 31 - 1;

/**
 * `If-Match` and `If-None-Match` of a request (RFC 9110, 13.1 and 13.2.2). All methods throw MalformedRequest where one of them
 * is no list of ETags.
 */
export class Conditions {
  constructor(
    private readonly ifMatch: string | undefined,
    private readonly ifNoneMatch: string | undefined,
  ) {}

  /**
   * Of a read: true where the client's copy is current and 304 is right.
   *
   * @throws VersionMismatch where `If-Match` does not name the current version
   */
  isNotModified(currentEtag: string): boolean {
    // Both are read first: one that is malformed is refused whatever the other asks for.
    const expected = this.ifMatch === undefined ? '*' : parseEtags(this.ifMatch);
    const known = this.ifNoneMatch === undefined ? [] : parseEtags(this.ifNoneMatch);
    // By the strong comparison: a weak ETag names none.
    if (expected !== '*' && !expected.includes(currentEtag)) throw new VersionMismatch(tagOf(currentEtag));
    return known === '*' || known.some((tag) => strong(tag) === currentEtag);
  }

  /** Of a write: what the current version must be. */
  versions(): VersionCondition<string> {
    const expected = this.ifMatch === undefined ? '*' : parseEtags(this.ifMatch);
    const refused = this.ifNoneMatch === undefined ? [] : parseEtags(this.ifNoneMatch);
    // What there is has a version, and `*` refuses every one.
    if (refused === '*') return { anyOf: [], noneOf: [] };
    return {
      anyOf: expected === '*' ? null : expected.filter((tag) => tag.startsWith('"')).map(tagOf),
      noneOf: refused.map((tag) => tagOf(strong(tag))),
    };
  }

  /** The same for versions that are numbers. What is no number, or larger than any version, names none. */
  numbers(): VersionCondition<number> {
    const { anyOf, noneOf } = this.versions();
    return { anyOf: anyOf && numbersOf(anyOf), noneOf: numbersOf(noneOf) };
  }
}

/** The conditions of the request, as a handler's parameter. Its route is declared `@Conditional()`. */
export const RequestConditions = createParamDecorator((_: unknown, context: ExecutionContext) =>
  conditionsOf(context.getArgByIndex<FastifyRequest>(0)),
);

export const conditionsOf = ({ headers }: Pick<FastifyRequest, 'headers'>): Conditions =>
  new Conditions(headers['if-match'], headers['if-none-match']);

const numbersOf = (versions: readonly string[]): readonly number[] =>
  versions
    .filter((version) => /^[1-9]\d{0,9}$/.test(version))
    .map(Number)
    .filter((version) => version <= maxVersion);

const strong = (tag: string): string => tag.replace(/^W\//, '');
const tagOf = (tag: string): string => tag.slice(1, -1);

const eachEtag = /(?:W\/)?"[\x21\x23-\x7E\x80-\xFF]*"/g;
/** Stands for an ETag. Node reads headers as Latin-1, so none has it. */
const mark = '\u2022';

function parseEtags(header: string): '*' | string[] {
  const list = header.trim();
  if (list === '*') return '*';
  const tags = list.match(eachEtag) ?? [];
  // Elements of a list may be empty (RFC 9110, 5.6.1.2).
  const marks = list.replaceAll(eachEtag, mark);
  const isList = /^[\u2022, \t]+$/.test(marks) && !/\u2022[ \t]*\u2022/.test(marks);
  // A bare word is what clients send that lost the quotes: refusing it beats ignoring the condition.
  if (!isList || tags.length === 0) {
    throw new MalformedRequest(
      'If-Match and If-None-Match take "*" or a list of quoted ETags.',
      'malformed_etag',
    );
  }
  return tags;
}
