import { MalformedRequest } from '../../platform/errors/common-errors.js';

/** The list is ordered by id: a cursor is the last one that the client has seen. */
export const encodeCursor = (sessionId: string): string =>
  Buffer.from(`s${sessionId.replaceAll('-', '')}`, 'latin1').toString('base64url');

/** @throws MalformedRequest (400) where it is none of ours */
export function decodeCursor(cursor: string): string {
  const hex = /^s([0-9a-f]{32})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  const id = hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  // Node's decoder skips what is no base64url.
  if (id === undefined || encodeCursor(id) !== cursor)
    throw new MalformedRequest('The cursor is not one of this list.', 'invalid_cursor');
  return id;
}
