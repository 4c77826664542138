import type { Position } from '../positions/position.js';
import {
  databaseIdSql,
  lsnSql,
  primaryPositionSql,
  standbyPositionSql,
  standbyTimelineSql,
  timelineOfPrimary,
} from './position-sql.js';
import type { CommitRule, Heartbeat, Members } from './server-state.js';
import { prepared, type Statement } from './statement.js';

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
  SELECT FROM pg_stat_get_activity(NULL) WHERE wait_event = 'SyncRep'
    AND datid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND query_start < clock_timestamp() - interval '400 ms')`;

/** Members are known by it, so it must be another one for each server. Postgres compares the names of standbys in this way, too. */
const name = `lower(current_setting('cluster_name'))`;

const rule = `(
  SELECT json_build_object('number', number, 'standbyNames', standby_names, 'timeline', timeline,
    'primary', primary_name, 'waitsFor', waits_for)
  FROM platform.commit_rule)`;

const members = `(SELECT json_object_agg(cluster_name, timeline) FROM platform.members)`;

/** A target ends recovery before all that was received, and confirmed, is replayed. */
const hasNoTarget = ['', '_lsn', '_name', '_time', '_xid']
  .map((kind) => `current_setting('recovery_target${kind}') = ''`)
  .join(' AND ');

/**
 * Null while it is a standby, and where it was not one since its start: in a crash it may have let commits go that nobody confirmed, and
 * what it has received is forgotten then.
 */
const promoted = `CASE WHEN NOT pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS NOT NULL AND ${hasNoTarget} THEN
  json_build_object('timeline', ${timelineOfPrimary}, 'written', ${lsnSql('pg_current_wal_flush_lsn()')}) END`;

const millisecondsSince = (column: string): string =>
  `(extract(epoch FROM clock_timestamp() - ${column}) * 1000)::float8`;

/** A crash ends the checkpointer, too, and what was committed before it may show without having been confirmed. */
const heartbeat = `(
  SELECT json_build_object('timeline', timeline, 'ageMs', ${millisecondsSince('beat_at')},
    'confirmedMs', ${millisecondsSince('confirmed_at')}, 'isSinceStart', beat_at >
      (SELECT backend_start FROM pg_stat_get_activity(NULL) WHERE backend_type = 'checkpointer'))
  FROM platform.heartbeat)`;

export interface ProbeRow {
  readonly standby: boolean;
  readonly position: Position;
  readonly identity: string;
  readonly leases: number;
  readonly waiting: boolean;
  /** `cluster_name` in lower case. */
  readonly name: string;
  readonly standbyNames: string;
  /** The timeline on which it receives WAL; null: it receives none, or the role may not see that. */
  readonly receives: number | null;
  readonly rule: CommitRule | null;
  readonly members: Members | null;
  readonly heartbeat: Heartbeat | null;
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
    ${isCommitWaiting} AS waiting, ${name} AS name, current_setting('synchronous_standby_names') AS "standbyNames",
    (SELECT received_tli FROM pg_stat_wal_receiver) AS receives, ${rule} AS rule, ${members} AS members,
    ${heartbeat} AS heartbeat,
    EXISTS (
      SELECT FROM platform.database_identity JOIN pg_database ON oid = database_oid AND datname = database_name
      WHERE datname = current_database()) AS identified,
    (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock
  FROM standing`;

/** What a server is, and how far it has got. */
export const serverPositionSql = `SELECT pg_is_in_recovery() AS standby, ${position} AS position`;

/** Begins a read on a server that is not known yet. The statements after it take their own snapshots, later than the position. */
export const checkedReadSql = (timeoutMs: number): string => `
  BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
  SET LOCAL statement_timeout = ${Math.floor(timeoutMs)};
  ${serverPositionSql}`;

/**
 * Two statements of one transaction: the second one has a later snapshot, so what it shows is at the replayed position of the first or
 * past it. The waits of the startup process are seen by members of `pg_read_all_stats` only.
 */
export const memberStatements: readonly [Statement, Statement] = [
  prepared(`
    SELECT json_build_object('standby', pg_is_in_recovery(), 'name', ${name}, 'identity', ${identity},
      'received', ${lsnSql('pg_last_wal_receive_lsn()')}, 'replayed', ${lsnSql('pg_last_wal_replay_lsn()')},
      'waiting', EXISTS (SELECT FROM pg_stat_get_activity(NULL) WHERE backend_type = 'startup'
        AND wait_event IN ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval')),
      'retryMs', extract(epoch FROM current_setting('wal_retrieve_retry_interval')::interval) * 1000,
      'promoted', ${promoted})`),
  prepared(`
    SELECT json_build_object('database', ${databaseIdSql}, 'timeline', ${standbyTimelineSql}, 'members', ${members},
      'ruleNumber', (SELECT number FROM platform.commit_rule), 'ruleTimeline', (SELECT timeline FROM platform.commit_rule))`),
];
