/**
 * How far a database has come: timeline (8 hex digits) and LSN (16), so that positions compare as text. A later timeline
 * is further, since it begins where a promotion left the earlier one.
 */
export type Position = string;

/** Before everything. */
export const origin: Position = '0'.repeat(24);

const form = /^[0-9a-f]{24}$/;

export const isPosition = (text: string): boolean => form.test(text);

export const timelineOf = (position: Position): number => Number.parseInt(position.slice(0, 8), 16);

const lsnOf = (position: Position): string => position.slice(8);

export const later = (a: Position, b: Position): Position => (a > b ? a : b);

/**
 * Whether a server at `reached` shows what was written up to `needed`. The LSN counts by itself as well: a server may
 * have turned to a new timeline and not have replayed all of the old one that belongs to it.
 */
export const covers = (reached: Position, needed: Position): boolean =>
  reached >= needed && lsnOf(reached) >= lsnOf(needed);

const hexLsn = (lsn: string): string => `lpad(to_hex((${lsn} - '0/0'::pg_lsn)::bigint), 16, '0')`;

/** Of a primary, as text. It is past everything that was acknowledged before the statement began. */
export const primaryPositionSql = `
  lower(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)) || ${hexLsn('pg_current_wal_insert_lsn()')}`;

/**
 * Of a standby. Its timeline is that of the newest row in platform.timelines which it has replayed: each primary writes
 * one, so a standby that shows it has come past the beginning of that timeline, and no special right is needed to ask.
 */
export const standbyPositionSql = `
  coalesce((SELECT lpad(to_hex(max(timeline)), 8, '0') FROM platform.timelines), '00000000') ||
  coalesce(${hexLsn('pg_last_wal_replay_lsn()')}, '0000000000000000')`;
