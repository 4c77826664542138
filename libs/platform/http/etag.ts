import { PreconditionFailed, MalformedRequest } from '../errors/common-errors.js';

/** A strong ETag of a row: its version alone says which bytes the client gets. */
export const versionEtag = (version: number): string => `"${version}"`;

/**
 * Evaluates `If-Match` (RFC 9110, 13.1.1: strong comparison, a list, or `*`).
 *
 * @throws PreconditionFailed (412) with the current ETag
 */
export function requireMatch(ifMatch: string | undefined, currentEtag: string): void {
  if (ifMatch === undefined) return;
  const tags = parseEtags(ifMatch);
  if (tags !== '*' && !tags.includes(currentEtag)) throw new PreconditionFailed(currentEtag);
}

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
