/**
 * How far a database has got: the id of the database (16 hex digits), its timeline (8) and its LSN (16). Positions of one
 * database compare as text: a later timeline is further, because it begins where a promotion left the earlier one.
 * Positions of different databases are never ordered.
 */
export type Position = string;

const form = /^[0-9a-f]{40}$/;

export const isPosition = (text: string): boolean => form.test(text);

export const databaseOf = (position: Position): string => position.slice(0, 16);

/** Timeline and LSN, as the consistency store keeps them. */
export const progressOf = (position: Position): string => position.slice(16);

export const timelineOf = (position: Position): number => Number.parseInt(position.slice(16, 24), 16);

const lsnOf = (position: Position): string => position.slice(24);

/** Lower than every other position of that database. */
export const originOf = (database: string): Position => database + '0'.repeat(24);

export const isSameDatabase = (a: Position, b: Position): boolean => a.startsWith(databaseOf(b));

/** The later of two positions of one database. @throws Error for two databases: there is no order between them */
export function later(a: Position, b: Position): Position {
  if (a === b) return a;
  if (!isSameDatabase(a, b)) throw new Error('Positions of different databases have no order.');
  return a > b ? a : b;
}

/** The next position: past all that was written before `position` was asked for, even where nothing was written since. */
export const justPast = (position: Position): Position =>
  position.slice(0, 24) + (BigInt(`0x${lsnOf(position)}`) + 1n).toString(16).padStart(16, '0');

/** Whether `known` is `needed` or later. Never for positions of different databases. */
export const isAtLeast = (known: Position, needed: Position): boolean =>
  known === needed || (known > needed && isSameDatabase(known, needed));

/**
 * Whether a server that has replayed `reached` shows all writes up to `needed`. The LSN is compared separately, too: a
 * server may have switched to a new timeline without having replayed the end of the old one.
 */
export const covers = (reached: Position, needed: Position): boolean =>
  isAtLeast(reached, needed) && lsnOf(reached) >= lsnOf(needed);
