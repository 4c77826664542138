import { MalformedRequest } from '../errors/common-errors.js';

/** A strong ETag (RFC 9110, 8.8.3) of a version, or of a hash of the bytes. */
export const etagOf = (version: string | number): string => `"${version}"`;

/**
 * The versions that `If-Match` names (RFC 9110, 13.1.1: strong comparison, a list, or `*`); null where any will do. A weak
 * ETag names none.
 *
 * @throws MalformedRequest where it is no list of ETags
 */
export function expectedVersions(ifMatch: string | undefined): readonly string[] | null {
  if (ifMatch === undefined) return null;
  const tags = parseEtags(ifMatch);
  return tags === '*' ? null : tags.filter((tag) => tag.startsWith('"')).map((tag) => tag.slice(1, -1));
}

/** The largest integer of Postgres. */
const maxVersion = 2 ** 31 - 1;

/** The same for versions that are numbers. What is no number, or larger than any version, names none. */
export const expectedNumbers = (ifMatch: string | undefined): readonly number[] | null =>
  expectedVersions(ifMatch)
    ?.filter((version) => /^[1-9]\d{0,9}$/.test(version))
    .map(Number)
    .filter((version) => version <= maxVersion) ?? null;

/** Evaluates `If-None-Match` (weak comparison): true where the client's copy is current and 304 is right. */
export function isNotModified(ifNoneMatch: string | undefined, currentEtag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = parseEtags(ifNoneMatch);
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === currentEtag);
}

const etag = String.raw`(?:W/)?"[\x21\x23-\x7E\x80-\xFF]*"`;
const etagList = new RegExp(`^${etag}(?:[ \\t]*,[ \\t]*${etag})*$`);
const eachEtag = new RegExp(etag, 'g');

function parseEtags(header: string): '*' | string[] {
  const list = header.trim();
  if (list === '*') return '*';
  // A bare word is what clients send that lost the quotes: refusing it beats ignoring the condition.
  if (!etagList.test(list)) {
    throw new MalformedRequest(
      'If-Match and If-None-Match take "*" or a list of quoted ETags.',
      'malformed_etag',
    );
  }
  return list.match(eachEtag) ?? [];
}
