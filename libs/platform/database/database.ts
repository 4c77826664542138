import type { EntityManager } from 'typeorm';
import type { Consistency } from '../consistency/consistency.js';
import { WriteGuard, WriteUnsafe } from '../consistency/write-guard.js';
import { currentCall } from '../context/call-context.js';
import type { ConsistencyView } from '../context/consistency-view.js';
import type { FeatureName } from '../context/feature-name.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Position } from '../positions/position.js';
import type { ConnectionConfig } from '../postgres/data-source.js';
import { DatabaseUnavailable, NotUsable } from '../postgres/database-unavailable.js';
import {
  isDatabaseUnavailable,
  isRecoveryConflict,
  isStatementTimeout,
  isTransientConflict,
} from '../postgres/postgres-errors.js';
import type { PostgresServer } from '../postgres/postgres-server.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import { transact, UnknownOutcome } from '../postgres/transaction.js';
import { DatabaseMetrics, type FallbackReason } from './database-metrics.js';

/** Postgres gives up one of two deadlocked transactions. A second deadlock in a row is rare, a third one is a bug. */
const writeAttempts = 3;
/** A read that fails on a replica through no fault of its own goes to one other replica, then to the primary. */
const replicaAttempts = 2;

type Run<T> = (manager: EntityManager) => Promise<T>;

export interface DatabaseParts {
  readonly servers: PostgresServers;
  readonly consistency: Consistency;
  readonly config: ConnectionConfig;
  readonly metrics: Metrics;
}

/** Makes the databases of features. A process has one, for the servers that it uses. */
export class DatabaseFactory {
  readonly servers: PostgresServers;
  readonly consistency: Consistency;
  readonly config: ConnectionConfig;
  readonly metrics: DatabaseMetrics;

  constructor({ servers, consistency, config, metrics }: DatabaseParts) {
    this.servers = servers;
    this.consistency = consistency;
    this.config = config;
    this.metrics = new DatabaseMetrics(metrics);
  }

  forFeature(feature: FeatureName): Database {
    return new Database(this, feature);
  }
}

/**
 * The database as one feature sees it.
 *
 * Both methods lend a manager that may be used until the promise of the callback settles. They reject with
 * DeadlineExceeded at the deadline of the call, and with DatabaseUnavailable, or an error for which
 * `isDatabaseUnavailable` is true, if a server is not available or too slow.
 */
export class Database {
  constructor(
    private readonly databases: DatabaseFactory,
    private readonly feature: string,
  ) {}

  /**
   * Runs reads without side effects; `run` may be run again on another server. Consistency: each statement has its own
   * snapshot. Within a call of a user they come from a replica that shows all that was acknowledged to that user before the
   * call began, or from the primary; outside of one, from the primary.
   *
   * `isOwnOnly` false: the read must also show what other clients did, so the token of this client is not enough.
   */
  async read<T>(run: Run<T>, { isOwnOnly = true } = {}): Promise<T> {
    const view = viewOfCall();
    if (view === undefined) return this.readPrimary(run);
    await this.databases.consistency.settle(view, [this.feature]);
    const { kind, position } = view.readRequirement(this.feature, isOwnOnly);
    if (kind === 'position') {
      const found = await this.readReplica(run, position);
      if (found !== null) return found.value;
    }
    return this.readPrimary(run, position);
  }

  /**
   * Runs `run` in one transaction on the primary (READ COMMITTED) and commits when it resolves. `run` may run up to three
   * times (deadlock), so it must have no effect outside of the transaction. An error after COMMIT was sent leaves the
   * outcome unknown to the caller, as with any database.
   *
   * `users`: the users who see the change; default: the user of the call. After it none of them reads anything older.
   */
  async write<T>(run: Run<T>, { users }: { readonly users?: readonly string[] } = {}): Promise<T> {
    const view = viewOfCall();
    const affected = users ?? (view === undefined ? undefined : [view.userId]);
    if (affected === undefined)
      throw new Error('A write outside of a call of a user must say whose view it changes.');
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.writeOnce(run, affected);
      } catch (error) {
        const isRepeatable =
          error instanceof WriteUnsafe || error instanceof NotUsable || isTransientConflict(error);
        if (attempt >= writeAttempts || !isRepeatable) throw error;
      }
    }
  }

  private async writeOnce<T>(run: Run<T>, affected: readonly string[]): Promise<T> {
    const { consistency, servers } = this.databases;
    const view = viewOfCall();
    // First: without a primary no user may have an intent, which would keep reads from replicas.
    await servers.getPrimary();
    const guard =
      affected.length === 0 ? null : await WriteGuard.obtain(consistency, this.feature, affected, view);
    const { result, position } = await this.transactUnder(guard, run);
    if (view !== undefined && affected.includes(view.userId)) view.wrote(this.feature, position);
    await guard?.done(position);
    return result;
  }

  private async transactUnder<T>(guard: WriteGuard | null, run: Run<T>) {
    try {
      const primary = await this.databases.servers.getPrimary();
      return await transact(primary, this.databases.config, run, async () => guard?.confirm());
    } catch (error) {
      const isUnknown = error instanceof UnknownOutcome;
      const abandoned = guard?.abandon(isUnknown);
      if (!(error instanceof DeadlineExceeded)) await abandoned;
      throw isUnknown ? new DatabaseUnavailable(error.cause) : error;
    }
  }

  /** Null where no replica could serve it. */
  private async readReplica<T>(run: Run<T>, position: Position): Promise<{ readonly value: T } | null> {
    const { servers, metrics } = this.databases;
    for (let attempt = 0, tried: PostgresServer | null = null; attempt < replicaAttempts; attempt++) {
      const replica = servers.replicaFor(position, tried);
      if (replica === null) break;
      try {
        const isRight = (isStandby: boolean, reached: Position) =>
          servers.isRight(isStandby, reached, position);
        const value = await replica.read(isRight, run);
        metrics.reads.replica.inc();
        return { value };
      } catch (error) {
        const reason = fallbackReason(error);
        if (reason === null) throw error;
        metrics.fallbacks[reason].inc();
        if (reason === 'error') void replica.ask();
        tried = replica;
      }
    }
    if (servers.all.length > 1) metrics.fallbacks.none.inc();
    return null;
  }

  private async readPrimary<T>(run: Run<T>, position?: Position): Promise<T> {
    const { servers, metrics } = this.databases;
    const primary = await servers.getPrimary(position);
    const result = await (primary.isShared
      ? primary.read((isStandby) => !isStandby, run)
      : primary.borrow('read', ({ runner }) => run(runner.manager)));
    metrics.reads.primary.inc();
    return result;
  }
}

const viewOfCall = (): ConsistencyView | undefined => currentCall()?.view ?? undefined;

/** Why a read may be retried on another server; null if the read itself is at fault. */
function fallbackReason(error: unknown): FallbackReason | null {
  if (error instanceof NotUsable) return 'lag';
  if (isRecoveryConflict(error)) return 'conflict';
  // A statement that takes too long on one server takes too long on another, too.
  if (isStatementTimeout(error)) return null;
  return isDatabaseUnavailable(error) ? 'error' : null;
}
