import type { QueryResult, QueryResultRow } from 'pg';
import type { Consistency } from '../consistency/consistency.js';
import { WriteGuard, WriteUnsafe } from '../consistency/write-guard.js';
import { currentCall } from '../context/call-context.js';
import type { Scope } from '../context/scope.js';
import { DeadlineExceeded, ServiceUnavailable } from '../errors/common-errors.js';
import { DomainError } from '../errors/domain-error.js';
import { confirmed } from '../postgres/commit.js';
import { NoConnection } from '../postgres/connection-errors.js';
import type { ConnectionConfig } from '../postgres/data-source.js';
import { DatabaseUnavailable, NotUsable, OutcomeUnknown } from '../postgres/database-unavailable.js';
import { codeOf } from '../postgres/error-code.js';
import { isServerLost, isTransientConflict } from '../postgres/postgres-errors.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import type { Session } from '../postgres/session.js';
import { unprepared, type Statement, type TextRow } from '../postgres/statement.js';
import { transact, UnknownOutcome } from '../postgres/transaction.js';
import { commitStatement } from '../postgres/write-statement.js';
import { Changes } from './changes.js';
import type { RowValues, RowWrite } from './row-write.js';
import { valuesOf, type WantedWrite, type WriteBatches } from './write-batches.js';

/** Postgres gives up one of two deadlocked transactions. A second deadlock in a row is rare, a third one is a bug. */
const writeAttempts = 3;
/** For so long a write whose server was lost begins anew, and how long it waits before. */
const repeatMs = 12_000;
const retryMs = 250;
/** How long the end of a write waits for evidence that the primary still is one. */
const provenMs = 1000;

export interface WriteOptions {
  /**
   * What the write changes, besides what it learns by `changes.add`, and besides the view of the user of the call, who wrote.
   * Default: only those. Empty: nobody sees the write; it can learn nothing either.
   */
  readonly scopes?: readonly Scope[];
}

export interface RowWriteOptions extends WriteOptions {
  /** What the write changes or locks, if another one could: two of one key are never sent together. */
  readonly key?: string | null;
}

export interface WriterParts {
  readonly servers: PostgresServers;
  readonly writeBatches: WriteBatches;
  readonly consistency: Consistency;
  readonly config: ConnectionConfig;
}

type Affected = readonly Scope[] | null;

/** The writes of one feature, see `Database`. */
export class Writer {
  constructor(
    private readonly parts: WriterParts,
    private readonly feature: string,
  ) {}

  /** As `Database.write`. */
  write<T>(run: (session: Session, changes: Changes) => Promise<T>, options: WriteOptions): Promise<T> {
    return this.attempt(options, (affected) => this.inTransaction(run, affected));
  }

  /** As `Database.writeRow`. */
  row(
    write: RowWrite,
    values: RowValues,
    { key = null, ...options }: RowWriteOptions,
  ): Promise<TextRow | null> {
    const { config, consistency } = this.parts;
    const row = JSON.stringify(values);
    // Behind a pooler the next statement may run on another connection, which does not know the name.
    const sent = config.DATABASE_POOLER ? unprepared(write.alone.text) : write.alone;
    let isAtOnce = !config.DATABASE_POOLER && consistency.store?.isShared === true && consistency.store.isUp;
    return this.attempt(options, async (affected) => {
      if (isAtOnce && affected !== null) {
        isAtOnce = false;
        return this.atOnce({ write, row, key }, affected);
      }
      const rows = await this.inTransaction(
        (session) => session.rows(sent, [`[${row}]`, 'infinity']),
        affected,
      );
      return firstOf(rows);
    });
  }

  /** As `Database.runUnseen`. */
  unseen<R extends QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<QueryResult<R>> {
    const { servers, config } = this.parts;
    return this.attempt({ scopes: [] }, async () => {
      const primary = await servers.writable();
      if (config.DATABASE_POOLER) {
        const run = ({ client }: Session) => client.query<R>(statement.text, [...values]);
        return (await transact(primary, config, run, null)).result;
      }
      return primary.borrowForWrite(({ session: { client }, outlastDeadline }) => {
        if (primary.state === null) throw new NotUsable(`${primary.name} does not answer`);
        // It commits as soon as it has arrived.
        outlastDeadline();
        const query = { ...statement, values: [...values], isCommitting: true };
        return orUnknown(confirmed(client, () => client.query<R>(query)));
      });
    });
  }

  private async attempt<T>({ scopes }: WriteOptions, once: (affected: Affected) => Promise<T>): Promise<T> {
    const view = viewOfCall();
    if (view === undefined && scopes === undefined)
      throw new Error('A write outside of a call of a user must say what it changes.');
    const isUnseen = scopes?.length === 0;
    const affected = isUnseen ? null : [...new Set([...(scopes ?? []), ...(view ? [view.scope] : [])])];
    const end = performance.now() + repeatMs;
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await once(affected);
        if (affected !== null) await this.untilProven(OutcomeUnknown);
        return result;
      } catch (error) {
        // It was decided by what the primary showed.
        if (error instanceof DomainError && !(error instanceof ServiceUnavailable))
          await this.untilProven(DatabaseUnavailable);
        // Before COMMIT was sent: nothing took effect, and another server may be there soon.
        const isLost = this.isLost(error) && performance.now() < end;
        if (!isLost && (attempt >= writeAttempts || !isRepeatable(error))) throw error;
        if (isLost) await this.parts.servers.nextPoll(retryMs);
      }
    }
  }

  /**
   * What has found nothing to change, or something in its way, waited for no standby: the primary must have been one until now. In most
   * calls there is nothing to wait for.
   *
   * @throws Failure
   */
  private async untilProven(Failure: new (cause: unknown) => Error): Promise<void> {
    const { servers } = this.parts;
    const end = performance.now() + provenMs;
    for (let now = performance.now(); now >= servers.readableUntil; now = performance.now()) {
      if (now >= end) throw new Failure(new Error('It may be no primary any more.'));
      await servers.nextPoll(retryMs);
    }
  }

  /** Where the primary answers, a pool without a free connection is just busy. */
  private isLost(error: unknown): boolean {
    return isServerLost(error) && !(error instanceof NoConnection && this.parts.servers.isPrimaryAnswering());
  }

  /** A statement that commits by itself: with those of other calls, or alone. */
  private async atOnce(
    wanted: Pick<WantedWrite, 'write' | 'row' | 'key'>,
    affected: readonly Scope[],
  ): Promise<TextRow | null> {
    const guard = await this.guard(affected);
    const { row, position } = await orAbandon(guard, async () => {
      const primary = await this.parts.servers.writable();
      const all = { ...wanted, primary, commitBy: () => commitBy(guard) };
      return (await this.parts.writeBatches.commit(all)) ?? (await commitAlone(all));
    });
    viewOfCall()?.wrote(this.feature, affected, position);
    await guard.done(position);
    return row;
  }

  /** `affected` null: no reader sees the write. */
  private async inTransaction<T>(
    run: (session: Session, changes: Changes) => Promise<T>,
    affected: Affected,
  ): Promise<T> {
    const { servers, config } = this.parts;
    const guard = affected === null ? null : await this.guard(affected);
    const changes = new Changes(guard !== null);
    const { result, position } = await orAbandon(guard, async () =>
      transact(
        await servers.writable(),
        config,
        (session) => run(session, changes),
        guard && ((manager) => guard.confirm(manager, changes.scopes)),
      ),
    );
    if (affected === null) return result;
    viewOfCall()?.wrote(this.feature, [...affected, ...changes.scopes], position);
    await guard?.done(position);
    return result;
  }

  private async guard(affected: readonly Scope[]): Promise<WriteGuard> {
    const { servers, consistency } = this.parts;
    // First: without a primary no scope may have an intent, which would keep reads from replicas.
    const primary = servers.writable();
    if (primary instanceof Promise) await primary;
    return WriteGuard.obtain(consistency, this.feature, affected, viewOfCall());
  }
}

const isRepeatable = (error: unknown): boolean =>
  error instanceof WriteUnsafe || error instanceof NotUsable || isTransientConflict(error);

/** Where it has no answer, it may still wait for its standbys. */
async function orUnknown<T>(sent: Promise<T>): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    throw isServerLost(error) ? new OutcomeUnknown(error) : error;
  }
}

async function orAbandon<T>(guard: WriteGuard | null, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isUnknown = error instanceof UnknownOutcome;
    const abandoned = guard?.abandon(isUnknown);
    if (!(error instanceof DeadlineExceeded)) await abandoned;
    if (isTooLate(error)) throw new WriteUnsafe('The statement was too late to commit by itself.');
    throw isUnknown ? new OutcomeUnknown(error.cause) : error;
  }
}

async function commitAlone(wanted: WantedWrite) {
  const { primary, write, commitBy } = wanted;
  const { rows, position } = await commitStatement(primary, write.alone, async () =>
    valuesOf([wanted], await commitBy(), primary),
  );
  return { row: firstOf(rows), position };
}

/** What the one call of a `RowWrite` got, without its number. */
function firstOf([row]: readonly TextRow[]): TextRow | null {
  return row === undefined ? null : row.slice(1);
}

/**
 * Until when a statement may commit. The statement compares it with the clock of the server after its last row: so it holds
 * however long it waited, or its message was under way.
 *
 * @throws WriteUnsafe where only this process can tell whether the write may commit
 */
async function commitBy(guard: WriteGuard): Promise<number> {
  const until = await guard.commitBy();
  if (until === null) throw new WriteUnsafe('A statement can not tell whether it may commit.');
  return until;
}

const divisionByZero = '22012';
const isTooLate = (error: unknown): boolean => codeOf(error) === divisionByZero;

const viewOfCall = () => currentCall()?.view ?? undefined;
