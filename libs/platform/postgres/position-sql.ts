const hexLsn = (lsn: string): string => `lpad(to_hex((${lsn} - '0/0'::pg_lsn)::bigint), 16, '0')`;

/** The position of a primary, as text. It is past everything that was acknowledged before the statement began. */
export const primaryPositionSql = `
  lower(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)) || ${hexLsn('pg_current_wal_insert_lsn()')}`;

/**
 * The position of a standby. Its timeline is that of the newest row in platform.timelines which it has replayed. Each
 * primary writes such a row, so a standby that shows it has come past the beginning of that timeline. No special right is
 * needed to ask.
 */
export const standbyPositionSql = `
  coalesce((SELECT lpad(to_hex(max(timeline)), 8, '0') FROM platform.timelines), '00000000') ||
  coalesce(${hexLsn('pg_last_wal_replay_lsn()')}, '0000000000000000')`;
