/** An LSN as 16 hex digits, which compare as text. */
export const lsnSql = (lsn: string): string => `lpad(to_hex((${lsn} - '0/0'::pg_lsn)::bigint), 16, '0')`;

/** Of a primary, as a number. */
export const timelineOfPrimary = `('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int`;

/**
 * What is on disk: a commit is acknowledged, and visible, only then. What is further may be lost in a crash, and other WAL
 * would take its place. Without synchronous commits it is not awaited.
 */
const writtenLsn = `CASE current_setting('synchronous_commit')
  WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END`;

/** Timeline and LSN of a primary, as text: past everything that was acknowledged before the statement began. */
export const primaryProgressSql = `
  lower(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)) || ${lsnSql(`(${writtenLsn})`)}`;

/** To be asked right after a commit: the position, and which standbys had to confirm it. */
export const commitProgressSql = `SELECT ${primaryProgressSql} AS progress,
  current_setting('synchronous_standby_names') AS "standbyNames", current_setting('synchronous_commit') AS level,
  (SELECT number FROM platform.commit_rule) AS rule`;

/** A database that has no id yet has one that no other has either: its positions never count. */
export const databaseIdSql = `coalesce((SELECT id FROM platform.database_identity), '${'0'.repeat(16)}')`;

export const primaryPositionSql = `${databaseIdSql} || ${primaryProgressSql}`;

/** 0: none is known. */
export const standbyTimelineSql = `coalesce((SELECT max(timeline) FROM platform.timelines), 0)`;

/**
 * The position of a standby. Its timeline is that of the newest row in platform.timelines which it has replayed. Each
 * primary writes such a row, so a standby that shows it has come past the beginning of that timeline. No special right is
 * needed to ask.
 */
export const standbyPositionSql = `${databaseIdSql} ||
  lpad(to_hex(${standbyTimelineSql}), 8, '0') ||
  coalesce(${lsnSql('pg_last_wal_replay_lsn()')}, '0000000000000000')`;
