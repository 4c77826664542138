import type { QueryResult, QueryResultRow } from 'pg';
import type { Consistency } from '../consistency/consistency.js';
import { WriteGuard, WriteUnsafe } from '../consistency/write-guard.js';
import { currentCall } from '../context/call-context.js';
import type { Scope } from '../context/scope.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { confirmed } from '../postgres/commit.js';
import type { ConnectionConfig } from '../postgres/data-source.js';
import { DatabaseUnavailable, NotUsable } from '../postgres/database-unavailable.js';
import { codeOf } from '../postgres/error-code.js';
import { isTransientConflict } from '../postgres/postgres-errors.js';
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
      const primary = await servers.getPrimary();
      if (config.DATABASE_POOLER) {
        const run = ({ client }: Session) => client.query<R>(statement.text, [...values]);
        return (await transact(primary, config, run, null)).result;
      }
      return primary.borrowForWrite(({ session: { client }, outlastDeadline }) => {
        if (primary.state === null) throw new NotUsable(`${primary.name} does not answer`);
        // It commits as soon as it has arrived.
        outlastDeadline();
        return confirmed(client, () => client.query<R>({ ...statement, values: [...values] }));
      });
    });
  }

  private async attempt<T>({ scopes }: WriteOptions, once: (affected: Affected) => Promise<T>): Promise<T> {
    const view = viewOfCall();
    if (view === undefined && scopes === undefined)
      throw new Error('A write outside of a call of a user must say what it changes.');
    const isUnseen = scopes?.length === 0;
    const affected = isUnseen ? null : [...new Set([...(scopes ?? []), ...(view ? [view.scope] : [])])];
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(affected);
      } catch (error) {
        const isRepeatable =
          error instanceof WriteUnsafe || error instanceof NotUsable || isTransientConflict(error);
        if (attempt >= writeAttempts || !isRepeatable) throw error;
      }
    }
  }

  /** A statement that commits by itself: with those of other calls, or alone. */
  private async atOnce(
    wanted: Pick<WantedWrite, 'write' | 'row' | 'key'>,
    affected: readonly Scope[],
  ): Promise<TextRow | null> {
    const guard = await this.guard(affected);
    const { row, position } = await orAbandon(guard, async () => {
      const primary = await this.parts.servers.getPrimary();
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
        await servers.getPrimary(),
        config,
        (session) => run(session, changes),
        guard && ((manager) => guard.confirm(manager, changes.scopes)),
      ),
    );
    if (affected === null || position === null) return result;
    viewOfCall()?.wrote(this.feature, [...affected, ...changes.scopes], position);
    await guard?.done(position);
    return result;
  }

  private async guard(affected: readonly Scope[]): Promise<WriteGuard> {
    const { servers, consistency } = this.parts;
    // First: without a primary no scope may have an intent, which would keep reads from replicas.
    const primary = servers.getPrimary();
    if (primary instanceof Promise) await primary;
    return WriteGuard.obtain(consistency, this.feature, affected, viewOfCall());
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
    throw isUnknown ? new DatabaseUnavailable(error.cause) : error;
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
