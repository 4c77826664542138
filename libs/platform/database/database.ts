import type { EntityManager } from 'typeorm';
import type { Consistency } from '../consistency/consistency.js';
import { WriteGuard, WriteUnsafe } from '../consistency/write-guard.js';
import { currentCall } from '../context/call-context.js';
import type { ConsistencyView } from '../context/consistency-view.js';
import type { FeatureName } from '../context/feature-name.js';
import type { Scope } from '../context/scope.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import type { Metrics } from '../metrics/metrics.js';
import { covers, type Position } from '../positions/position.js';
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
import { Changes } from './changes.js';
import { DatabaseMetrics, type FallbackReason } from './database-metrics.js';

/** Postgres gives up one of two deadlocked transactions. A second deadlock in a row is rare, a third one is a bug. */
const writeAttempts = 3;
/** A row whose scopes change again and again is read from the primary in the end. */
const learningAttempts = 3;
/** A read that fails on a replica through no fault of its own goes to one other replica, then to the primary. */
const replicaAttempts = 2;

type Run<T> = (manager: EntityManager) => Promise<T>;
type RunWrite<T> = (manager: EntityManager, changes: Changes) => Promise<T>;

export interface ReadOptions {
  /** What the read depends on; default: the view of the user of the call. */
  readonly scopes?: readonly Scope[];
  /** False: the read must also show what other clients did, so the token of this client is not enough. */
  readonly isOwnOnly?: boolean;
}

export interface WriteOptions {
  /**
   * What the write changes, besides what it learns by `changes.add`, and besides the view of the user of the call, who wrote.
   * Default: only those. Empty: nobody sees the write; it can learn nothing either.
   */
  readonly scopes?: readonly Scope[];
}

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
  private readonly features: readonly [string];

  constructor(
    private readonly databases: DatabaseFactory,
    private readonly feature: string,
  ) {
    this.features = [feature];
  }

  /**
   * Runs reads without side effects; `run` may be run again on another server. Consistency: each statement has its own
   * snapshot. Within a call of a user they come from a replica that shows all changes of the scopes that were acknowledged
   * before the call began, or from the primary; outside of one, from the primary.
   */
  async read<T>(run: Run<T>, { scopes, isOwnOnly = true }: ReadOptions = {}): Promise<T> {
    const view = viewOfCall();
    if (view === undefined) return this.readPrimary(run);
    return (await this.readFor(view, run, scopes ?? view.scopes, isOwnOnly)).value;
  }

  /**
   * Reads something that tells what it depends on, such as a task that tells its project. `scopesOf` returns those scopes.
   * Consistency: as `read` of all of them. What is absent is looked for on the primary: a row that a replica does not have
   * yet tells nothing.
   */
  async readAndLearn<T>(
    run: Run<T | null>,
    scopesOf: (found: T) => readonly Scope[],
    { scopes, isOwnOnly = true }: ReadOptions = {},
  ): Promise<T | null> {
    const view = viewOfCall();
    if (view === undefined) return this.readPrimary(run);
    const known = new Set(scopes ?? view.scopes);
    for (let attempt = 1; attempt <= learningAttempts; attempt++) {
      const { value, reached } = await this.readFor(view, run, [...known], isOwnOnly);
      // From the primary, which shows everything that was acknowledged.
      if (reached === null) return value;
      if (value === null) return this.readPrimary(run, reached);
      for (const scope of scopesOf(value)) known.add(scope);
      if (await this.isShown(view, [...known], isOwnOnly, reached)) return value;
    }
    return this.readPrimary(run);
  }

  /**
   * Runs `run` in one transaction on the primary (READ COMMITTED) and commits when it resolves. `run` may run up to three
   * times (deadlock), so it must have no effect outside of the transaction. An error after COMMIT was sent leaves the
   * outcome unknown to the caller, as with any database.
   *
   * On return no reader of the scopes that it changed reads anything older. `run` adds those that only the transaction
   * knows by `changes.add`, from rows that it has locked or that a statement returned: another transaction may change a row
   * that was only read.
   */
  async write<T>(run: RunWrite<T>, { scopes }: WriteOptions = {}): Promise<T> {
    const view = viewOfCall();
    if (view === undefined && scopes === undefined)
      throw new Error('A write outside of a call of a user must say what it changes.');
    const isUnseen = scopes?.length === 0;
    const affected = isUnseen ? null : [...new Set([...(scopes ?? []), ...(view ? [view.scope] : [])])];
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

  /** `affected` null: no reader sees the write. */
  private async writeOnce<T>(run: RunWrite<T>, affected: readonly Scope[] | null): Promise<T> {
    const { consistency, servers } = this.databases;
    const view = viewOfCall();
    // First: without a primary no scope may have an intent, which would keep reads from replicas.
    await servers.getPrimary();
    const guard =
      affected === null ? null : await WriteGuard.obtain(consistency, this.feature, affected, view);
    const changes = new Changes(guard !== null);
    const { result, position } = await this.transactUnder(guard, changes, run);
    if (affected === null || position === null) return result;
    view?.wrote(this.feature, [...affected, ...changes.scopes], position);
    await guard?.done(position);
    return result;
  }

  private async transactUnder<T>(guard: WriteGuard | null, changes: Changes, run: RunWrite<T>) {
    try {
      const primary = await this.databases.servers.getPrimary();
      return await transact(
        primary,
        this.databases.config,
        (manager) => run(manager, changes),
        guard && ((manager) => guard.confirm(manager, changes.scopes)),
      );
    } catch (error) {
      const isUnknown = error instanceof UnknownOutcome;
      const abandoned = guard?.abandon(isUnknown);
      if (!(error instanceof DeadlineExceeded)) await abandoned;
      throw isUnknown ? new DatabaseUnavailable(error.cause) : error;
    }
  }

  /** `reached` is a position that the replica had reached before it read; null: the primary was read. */
  private async readFor<T>(
    view: ConsistencyView,
    run: Run<T>,
    scopes: readonly Scope[],
    isOwnOnly: boolean,
  ): Promise<{ readonly value: T; readonly reached: Position | null }> {
    const preparing = this.databases.consistency.prepare(view, this.features, scopes);
    if (preparing !== null) await preparing;
    const { kind, position } = view.readRequirement(this.feature, scopes, isOwnOnly);
    const found = kind === 'position' ? await this.readReplica(run, position) : null;
    return found ?? { value: await this.readPrimary(run, position), reached: null };
  }

  /** Whether a server that had reached `reached` shows everything of these scopes. */
  private async isShown(
    view: ConsistencyView,
    scopes: readonly Scope[],
    isOwnOnly: boolean,
    reached: Position,
  ): Promise<boolean> {
    await this.databases.consistency.prepare(view, this.features, scopes);
    const { kind, position } = view.readRequirement(this.feature, scopes, isOwnOnly);
    return kind === 'position' && covers(reached, position);
  }

  /** Null where no replica could serve it. */
  private async readReplica<T>(
    run: Run<T>,
    position: Position,
  ): Promise<{ readonly value: T; readonly reached: Position } | null> {
    const { servers, metrics } = this.databases;
    for (let attempt = 0, tried: PostgresServer | null = null; attempt < replicaAttempts; attempt++) {
      const replica = servers.replicaFor(position, tried);
      if (replica === null) break;
      try {
        const isRight = (isStandby: boolean, reached: Position) =>
          servers.isRight(isStandby, reached, position);
        const found = await replica.read(isRight, async (manager, reached) => ({
          value: await run(manager),
          reached,
        }));
        metrics.reads.replica.inc();
        return found;
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

  private async readPrimary<T>(run: Run<T>, position: Position | null = null): Promise<T> {
    const { servers, metrics } = this.databases;
    const primary = await servers.getPrimary(position);
    const result = await (primary.isShared
      ? primary.read(
          (isStandby) => !isStandby,
          (manager) => run(manager),
        )
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
