import type { Position } from '../positions/position.js';
import { primaryPositionSql, standbyPositionSql } from './position-sql.js';

/** Which server answers: the time of its start to the microsecond, and its own address. */
const identity = `extract(epoch FROM pg_postmaster_start_time())::text || '@' ||
  coalesce(host(inet_server_addr()), 'local') || ':' || coalesce(inet_server_port(), 0)`;

export const identitySql = `SELECT ${identity} AS identity`;

const position = `CASE WHEN pg_is_in_recovery() THEN ${standbyPositionSql} ELSE ${primaryPositionSql} END`;

/** First key of the advisory locks of transactions that write under a lease; the second is the hash of its holder. */
export const leaseLock = 1_984_200_715;

/** A transaction that was committed under the lease may end later than the lease itself. */
const isLocked = `EXISTS (
  SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = ${leaseLock} AND objsubid = 2
    AND objid::bigint = hashtext(holder::text)::bigint & 4294967295)`;

/**
 * A commit has waited for a standby for a while: it is written, so the position is past it, but nobody sees it yet. One that
 * came just now still has its write intents.
 */
const isCommitWaiting = `EXISTS (
  SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'
    AND query_start < clock_timestamp() - interval '400 ms')`;

export interface ProbeRow {
  readonly standby: boolean;
  readonly position: Position;
  readonly identity: string;
  readonly leases: number;
  readonly waiting: boolean;
  readonly receiving: boolean;
  /** The id of the database was given to one of this name. */
  readonly identified: boolean;
  /** The clock of the server, in milliseconds of Unix time. */
  readonly clock: number;
}

/**
 * $1: the holder whose leases do not count. The position is taken after the statement's snapshot. Reads that come later on
 * a standby therefore show at least that position. On a primary it is past all that was written under a lease which the
 * snapshot no longer shows: the leases and their locks are looked at first, because locks have no snapshot.
 */
export const probeSql = `
  WITH standing AS MATERIALIZED (
    SELECT count(*)::int AS leases FROM platform.leases
    WHERE holder <> $1 AND (expires_at > clock_timestamp() OR ${isLocked}))
  SELECT leases, pg_is_in_recovery() AS standby, ${position} AS position, ${identity} AS identity,
    ${isCommitWaiting} AS waiting, EXISTS (SELECT FROM pg_stat_wal_receiver) AS receiving,
    EXISTS (
      SELECT FROM platform.database_identity JOIN pg_database ON oid = database_oid AND datname = database_name
      WHERE datname = current_database()) AS identified,
    (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock
  FROM standing`;

/** Begins a read on a server that is not known yet. The statements after it take their own snapshots, later than the position. */
export const checkedReadSql = (timeoutMs: number): string => `
  BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
  SET LOCAL statement_timeout = ${Math.floor(timeoutMs)};
  SELECT pg_is_in_recovery() AS standby, ${position} AS position`;
