import type { QueryResult, QueryResultRow } from 'pg';
import type { EntityManager } from 'typeorm';
import type { Consistency } from '../consistency/consistency.js';
import { currentCall } from '../context/call-context.js';
import type { ConsistencyView } from '../context/consistency-view.js';
import type { FeatureName } from '../context/feature-name.js';
import type { Scope } from '../context/scope.js';
import type { Metrics } from '../metrics/metrics.js';
import { covers, type Position } from '../positions/position.js';
import type { ConnectionConfig } from '../postgres/data-source.js';
import type { IsGood, PostgresServer } from '../postgres/postgres-server.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import type { Session } from '../postgres/session.js';
import { unprepared, type Statement, type TextRow } from '../postgres/statement.js';
import type { Changes } from './changes.js';
import { CostlyReads } from './costly-reads.js';
import { DatabaseMetrics } from './database-metrics.js';
import { fallbackReason, PrimaryReads, type Read } from './primary-reads.js';
import type { RowValues, RowWrite } from './row-write.js';
import { WriteBatches } from './write-batches.js';
import { Writer, type RowWriteOptions, type WriteOptions } from './writer.js';

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
  readonly writeBatches: WriteBatches;
  readonly costlyReads: CostlyReads;
  readonly primaryReads: PrimaryReads;

  constructor({ servers, consistency, config, metrics }: DatabaseParts) {
    this.servers = servers;
    this.consistency = consistency;
    this.config = config;
    this.metrics = new DatabaseMetrics(metrics);
    this.writeBatches = new WriteBatches(config);
    this.costlyReads = new CostlyReads(config);
    this.primaryReads = new PrimaryReads(servers, this.metrics);
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
  private readonly writer: Writer;

  constructor(
    private readonly databases: DatabaseFactory,
    private readonly feature: string,
  ) {
    this.features = [feature];
    this.writer = new Writer(databases, feature);
  }

  /**
   * Runs reads without side effects; `run` may be run again on another server. Consistency: each statement has its own
   * snapshot. Within a call of a user they come from a replica that shows all changes of the scopes that were acknowledged
   * before the call began, or from the primary; outside of one, from the primary.
   */
  read<T>(run: Run<T>, options?: ReadOptions): Promise<T> {
    return this.readIn({ run: ({ manager }) => run(manager) }, options);
  }

  /**
   * The same for one statement, without TypeORM: the rows as text. For what is read with nearly every call. One that is not quick
   * is bounded for each user, see `CostlyReads`.
   *
   * @throws QueryTooExpensive
   */
  rows(statement: Statement, values: readonly unknown[], options?: ReadOptions): Promise<readonly TextRow[]> {
    const { text } = statement;
    // Behind a pooler the next statement may run on another connection, which does not know the name.
    const sent = this.databases.config.DATABASE_POOLER ? unprepared(text) : statement;
    if (statement.isQuick !== true) {
      const { costlyReads } = this.databases;
      return costlyReads.run(() =>
        this.readIn({ run: (session) => costlyReads.rows(session, sent, values) }, options),
      );
    }
    const run = (session: Session) => session.rows(sent, values);
    return this.readIn(
      {
        run,
        together: (server, isGood, isAsked) => server.rowsTogether(sent, values, isGood, isAsked),
      },
      options,
    );
  }

  /**
   * Reads something that tells what it depends on, such as a task that tells its project. `scopesOf` returns those scopes.
   * Consistency: as `read` of all of them. What is absent is looked for on the primary: a row that a replica does not have
   * yet tells nothing.
   */
  async readAndLearn<T>(
    runOn: Run<T | null>,
    scopesOf: (found: T) => readonly Scope[],
    { scopes, isOwnOnly = true }: ReadOptions = {},
  ): Promise<T | null> {
    const read: Read<T | null> = { run: ({ manager }) => runOn(manager) };
    const view = viewOfCall();
    if (view === undefined) return this.databases.primaryReads.fromPrimary(read);
    const known = new Set(scopes ?? view.scopes);
    const elsewhere = (needed: Position | null) => this.readElsewhere(view, read, [...known], needed);
    for (let attempt = 1; attempt <= learningAttempts; attempt++) {
      const { value, reached } = await this.readFor(view, read, [...known], isOwnOnly);
      // From the primary, which shows everything that was acknowledged.
      if (reached === null) return value;
      if (value === null) return elsewhere(reached);
      for (const scope of scopesOf(value)) known.add(scope);
      if (await this.isShown(view, [...known], isOwnOnly, reached)) return value;
    }
    return elsewhere(null);
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
  write<T>(run: RunWrite<T>, options: WriteOptions = {}): Promise<T> {
    return this.writer.write(({ manager }, changes) => run(manager, changes), options);
  }

  /**
   * The same for one statement, in one round trip. It is a transaction of its own, or of several calls together. Its text tells
   * whether it may still commit, see `RowWrite`. Where that came too late, or only this process can tell, it is run again in a
   * transaction that this process ends. `values` are the row of the call. Returns the columns after `n`; null where the
   * statement returns no row for the call.
   */
  writeRow(write: RowWrite, values: RowValues, options: RowWriteOptions = {}): Promise<TextRow | null> {
    return this.writer.row(write, values, options);
  }

  /**
   * Runs one statement on the primary, as a transaction of its own, that no reader sees: of queues, not of data. It may be run
   * again after an error that left its outcome unknown, so that must do no harm.
   */
  runUnseen<R extends QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<QueryResult<R>> {
    return this.writer.unseen(statement, values);
  }

  /** Whether one transaction can write to both. */
  sharesTransactionsWith(other: Database): boolean {
    return this.databases === other.databases;
  }

  private async readIn<T>(read: Read<T>, { scopes, isOwnOnly = true }: ReadOptions = {}): Promise<T> {
    const view = viewOfCall();
    if (view === undefined) return this.databases.primaryReads.fromPrimary(read);
    return (await this.readFor(view, read, scopes ?? view.scopes, isOwnOnly)).value;
  }

  /** `reached` is a position that the replica had reached before it read; null: the primary was read. */
  private async readFor<T>(
    view: ConsistencyView,
    read: Read<T>,
    scopes: readonly Scope[],
    isOwnOnly: boolean,
  ): Promise<{ readonly value: T; readonly reached: Position | null }> {
    const preparing = this.databases.consistency.prepare(view, this.features, scopes);
    if (preparing !== null) await preparing;
    const { kind, position } = view.readRequirement(this.feature, scopes, isOwnOnly);
    const found = kind === 'position' ? await this.readReplica(read, position) : null;
    return found ?? { value: await this.readElsewhere(view, read, scopes, position), reached: null };
  }

  private readElsewhere<T>(
    view: ConsistencyView,
    read: Read<T>,
    scopes: readonly Scope[],
    needed: Position | null,
  ): Promise<T> {
    const known = () => view.known(this.feature, scopes);
    return this.databases.primaryReads.fromAny({ ...read, view, needed, known });
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
  private async readReplica<T>(read: Read<T>, position: Position): Promise<FoundOnReplica<T> | null> {
    const { servers, metrics } = this.databases;
    for (let attempt = 0, tried: PostgresServer | null = null; attempt < replicaAttempts; attempt++) {
      const replica = servers.replicaFor(position, tried);
      if (replica === null) break;
      try {
        const isRight = (isStandby: boolean, reached: Position) =>
          servers.isRight(isStandby, reached, position);
        const reading = readOn(replica, read, isRight, position);
        const found = await replica.untilSilent(reading);
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
}

interface FoundOnReplica<T> {
  readonly value: T;
  /** The replica had reached it before. */
  readonly reached: Position;
}

async function readOn<T>(
  replica: PostgresServer,
  { run, together }: Read<T>,
  isRight: IsGood,
  position: Position,
): Promise<FoundOnReplica<T>> {
  const value = together === undefined ? null : await together(replica, isRight, false);
  if (value !== null) return { value, reached: position };
  return replica.read(isRight, async (session, reached) => ({ value: await run(session), reached }));
}

const viewOfCall = (): ConsistencyView | undefined => currentCall()?.view ?? undefined;
