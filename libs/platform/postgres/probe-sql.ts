import type { Position } from '../positions/position.js';
import { primaryPositionSql, standbyPositionSql } from './position-sql.js';

/** Which server answers: the time of its start to the microsecond, and its own address. */
const identity = `extract(epoch FROM pg_postmaster_start_time())::text || '@' ||
  coalesce(host(inet_server_addr()), 'local') || ':' || coalesce(inet_server_port(), 0)`;

export const identitySql = `SELECT ${identity} AS identity`;

const position = `CASE WHEN pg_is_in_recovery() THEN ${standbyPositionSql} ELSE ${primaryPositionSql} END`;

export interface ProbeRow {
  readonly standby: boolean;
  readonly position: Position;
  readonly identity: string;
  readonly leases: number;
  readonly receiving: boolean;
}

/**
 * $1: the holder whose leases do not count. The position is taken after the statement's snapshot. Reads that come later on
 * a standby therefore show at least that position. On a primary it is past all that was written under a lease which the
 * snapshot no longer shows.
 */
export const probeSql = `
  SELECT pg_is_in_recovery() AS standby, ${position} AS position, ${identity} AS identity,
    (SELECT count(*)::int FROM platform.leases WHERE expires_at > clock_timestamp() AND holder <> $1) AS leases,
    EXISTS (SELECT FROM pg_stat_wal_receiver) AS receiving`;

/** Begins a read on a server that is not known yet. The statements after it take their own snapshots, later than the position. */
export const checkedReadSql = (timeoutMs: number): string => `
  BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
  SET LOCAL statement_timeout = ${Math.floor(timeoutMs)};
  SELECT pg_is_in_recovery() AS standby, ${position} AS position`;
