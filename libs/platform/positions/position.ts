/**
 * How far a database has got: its timeline (8 hex digits), then the LSN (16), so that positions compare as text. A later
 * timeline is further, because it begins where a promotion left the earlier one.
 */
export type Position = string;

/** Lower than every position. */
export const origin: Position = '0'.repeat(24);

const form = /^[0-9a-f]{24}$/;

export const isPosition = (text: string): boolean => form.test(text);

export const timelineOf = (position: Position): number => Number.parseInt(position.slice(0, 8), 16);

const lsnOf = (position: Position): string => position.slice(8);

export const later = (a: Position, b: Position): Position => (a > b ? a : b);

/**
 * Whether a server that has replayed `reached` shows all writes up to `needed`. The LSN is compared separately, too: a
 * server may have switched to a new timeline without having replayed the end of the old one.
 */
export const covers = (reached: Position, needed: Position): boolean =>
  reached >= needed && lsnOf(reached) >= lsnOf(needed);
