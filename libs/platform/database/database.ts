import type { EntityManager } from 'typeorm';
import { Counter } from 'prom-client';
import type { Consistency } from '../consistency/consistency.js';
import { WriteGuard, WriteUnsafe } from '../consistency/write-guard.js';
import { currentView } from '../context/consistency-view.js';
import { registry } from '../metrics/registry.js';
import { SeriesCounter } from '../metrics/series.js';
import type { ConnectionConfig } from '../postgres/data-source.js';
import { DatabaseUnavailable, NotUsable } from '../postgres/database-unavailable.js';
import { passFailPoint } from './fail-point.js';
import type { Position } from '../positions/position.js';
import {
  isDatabaseUnavailable,
  isRecoveryConflict,
  isStatementTimeout,
  isTransientConflict,
} from '../postgres/postgres-errors.js';
import type { PostgresServer } from '../postgres/postgres-server.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import { transact, UnknownOutcome } from '../postgres/transaction.js';

/** Postgres gives up one of two deadlocked transactions; a second deadlock in a row is rare, a third a bug. */
const writeAttempts = 3;
/** A read that fails on a replica through no fault of its own goes to one other, then to the primary. */
const replicaAttempts = 2;

const fallbacks = new Counter({
  name: 'db_replica_fallback_total',
  help: 'Reads that a replica could have served, but that went to another server.',
  labelNames: ['reason'],
  registers: [registry],
});

const reads = new SeriesCounter({
  name: 'db_reads_total',
  help: 'Reads, by what the server was that served them.',
  labelNames: ['db_target'],
});
const readsOfPrimary = reads.series({ db_target: 'primary' });
const readsOfReplica = reads.series({ db_target: 'replica' });

for (const reason of ['lag', 'conflict', 'error', 'none']) fallbacks.inc({ reason }, 0);

/** All databases of a process are this one databases, for each feature that goes through it. */
export class DatabaseFactory {
  constructor(
    readonly servers: PostgresServers,
    readonly consistency: Consistency,
    readonly config: ConnectionConfig,
  ) {}

  forFeature(feature: string): Database {
    return new Database(this, feature);
  }
}

/**
 * The one databases of a feature to the database.
 *
 * Both methods lend a manager that is good only until the callback's promise settles.
 * A server that is away or too slow ends as a 503 problem (see `isDatabaseUnavailable`).
 */
export class Database {
  constructor(
    private readonly databases: DatabaseFactory,
    private readonly feature: string,
  ) {}

  /**
   * Runs reads without side effects; `run` may be run again on another server. Consistency: each statement on its own
   * snapshot; within a request of a user a replica that shows all that was acknowledged to that user before the request
   * began, else the primary. Outside of one the primary.
   *
   * `isOwnOnly` false: what others did counts too, so that a token of this client proves nothing.
   */
  async read<T>(run: (manager: EntityManager) => Promise<T>, { isOwnOnly = true } = {}): Promise<T> {
    const view = currentView();
    if (view === undefined) return this.readPrimary(run);
    await this.databases.consistency.settle(view, [this.feature]);
    const { kind, position } = view.readRequirement(this.feature, isOwnOnly);
    if (kind === 'primary') return this.readPrimary(run, position);
    const { servers } = this.databases;
    for (let attempt = 0, tried: PostgresServer | null = null; attempt < replicaAttempts; attempt++) {
      const replica = this.replicaFor(position, tried);
      if (replica === null) break;
      try {
        const result = await replica.read(
          (isStandby, reached) => servers.isRight(isStandby, reached, position),
          run,
        );
        readsOfReplica.inc();
        return result;
      } catch (error) {
        const reason = fallbackReason(error);
        if (reason === null) throw error;
        fallbacks.inc({ reason });
        if (reason === 'error') void replica.ask();
        tried = replica;
      }
    }
    if (servers.all.length > 1) fallbacks.inc({ reason: 'none' });
    return this.readPrimary(run, position);
  }

  /**
   * Runs `run` in one transaction on the primary (READ COMMITTED) and commits when it resolves.
   * It may run up to three times (deadlock), so it must have no effect outside the transaction.
   * An error after COMMIT was sent leaves the outcome unknown to the caller, as with any database.
   *
   * `users`: whose view it changes; the user of the request unless told. On return none of them reads anything older.
   */
  async write<T>(
    run: (manager: EntityManager) => Promise<T>,
    { users }: { readonly users?: readonly string[] } = {},
  ): Promise<T> {
    const view = currentView();
    const affected = users ?? (view === undefined ? undefined : [view.userId]);
    if (affected === undefined)
      throw new Error('A write outside of a request must say whose view it changes.');
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

  private async writeOnce<T>(
    run: (manager: EntityManager) => Promise<T>,
    affected: readonly string[],
  ): Promise<T> {
    const { consistency } = this.databases;
    const view = currentView();
    // First of all, so that no user stays marked, and can't be read from replicas, while there is nowhere to write.
    await this.databases.servers.getPrimary();
    const guard =
      affected.length === 0 ? null : await WriteGuard.obtain(consistency, this.feature, affected, view);
    const outcome = await this.transactUnder(guard, run);
    passFailPoint();
    if (view !== undefined && affected.includes(view.userId)) view.wrote(this.feature, outcome.position);
    await guard?.done(outcome.position);
    return outcome.result;
  }

  private async transactUnder<T>(guard: WriteGuard | null, run: (manager: EntityManager) => Promise<T>) {
    const primary = await this.databases.servers.getPrimary();
    try {
      return await transact(primary, this.databases.config, run, async () => guard?.confirm());
    } catch (error) {
      const isUnknown = error instanceof UnknownOutcome;
      await guard?.abandon(isUnknown);
      throw isUnknown ? new DatabaseUnavailable(error.cause) : error;
    }
  }

  private async readPrimary<T>(run: (manager: EntityManager) => Promise<T>, position?: Position): Promise<T> {
    const primary = await this.databases.servers.getPrimary(position);
    const result = await (primary.isShared
      ? primary.read((isStandby) => !isStandby, run)
      : primary.borrow('read', (runner) => run(runner.manager)));
    readsOfPrimary.inc();
    return result;
  }

  private replicaFor(position: Position, tried: PostgresServer | null): PostgresServer | null {
    const { servers, consistency } = this.databases;
    const replica = consistency.protections.isOn('replica-position')
      ? servers.replicaFor(position, tried)
      : servers.anyReplica(tried);
    return replica;
  }
}

/** Why a read may be run again elsewhere; null where its error is its own. */
function fallbackReason(error: unknown): 'lag' | 'conflict' | 'error' | null {
  if (error instanceof NotUsable) return 'lag';
  if (isRecoveryConflict(error)) return 'conflict';
  // What takes too long here takes too long there.
  if (isStatementTimeout(error)) return null;
  return isDatabaseUnavailable(error) ? 'error' : null;
}
