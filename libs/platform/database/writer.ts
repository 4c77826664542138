import type { Consistency } from '../consistency/consistency.js';
import { WriteGuard, WriteUnsafe } from '../consistency/write-guard.js';
import { currentCall } from '../context/call-context.js';
import type { Scope } from '../context/scope.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import type { ConnectionConfig } from '../postgres/data-source.js';
import { DatabaseUnavailable, NotUsable } from '../postgres/database-unavailable.js';
import { codeOf } from '../postgres/error-code.js';
import { isTransientConflict } from '../postgres/postgres-errors.js';
import type { PostgresServer } from '../postgres/postgres-server.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';
import type { Session } from '../postgres/session.js';
import { unprepared, type Statement, type TextRow } from '../postgres/statement.js';
import { transact, UnknownOutcome } from '../postgres/transaction.js';
import { commitStatement } from '../postgres/write-statement.js';
import { Changes } from './changes.js';

/** Postgres gives up one of two deadlocked transactions. A second deadlock in a row is rare, a third one is a bug. */
const writeAttempts = 3;

export interface WriteOptions {
  /**
   * What the write changes, besides what it learns by `changes.add`, and besides the view of the user of the call, who wrote.
   * Default: only those. Empty: nobody sees the write; it can learn nothing either.
   */
  readonly scopes?: readonly Scope[];
}

export interface WriterParts {
  readonly servers: PostgresServers;
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

  /** As `Database.writeRows`. */
  rows(statement: Statement, values: readonly unknown[], options: WriteOptions): Promise<readonly TextRow[]> {
    const { config, consistency } = this.parts;
    // Behind a pooler the next statement may run on another connection, which does not know the name.
    const sent = config.DATABASE_POOLER ? unprepared(statement.text) : statement;
    let isAlone = !config.DATABASE_POOLER && consistency.store?.isShared === true && consistency.store.isUp;
    return this.attempt(options, (affected) => {
      if (!isAlone || affected === null)
        return this.inTransaction((session) => session.rows(sent, [...values, 'infinity']), affected);
      isAlone = false;
      return this.alone(sent, values, affected);
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

  /** A statement that commits by itself. */
  private async alone(
    statement: Statement,
    values: readonly unknown[],
    affected: readonly Scope[],
  ): Promise<readonly TextRow[]> {
    const guard = await this.guard(affected);
    const { rows, position } = await orAbandon(guard, async () => {
      const primary = await this.parts.servers.getPrimary();
      return commitStatement(primary, statement, async () => [...values, await latestCommit(guard, primary)]);
    });
    viewOfCall()?.wrote(this.feature, affected, position);
    await guard.done(position);
    return rows;
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

/**
 * The latest commit of a statement, by the clock of the server, as text for Postgres. The statement compares it with the
 * clock after its last row: so it holds however long it waited, or its message was under way.
 *
 * @throws WriteUnsafe where only this process can tell whether the write may commit
 */
async function latestCommit(guard: WriteGuard, { state }: PostgresServer): Promise<string> {
  const until = await guard.commitBy();
  if (until === null || state === null)
    throw new WriteUnsafe('A statement can not tell whether it may commit.');
  return new Date(until + state.clockAheadMs).toISOString();
}

/** What a statement of `Database.writeRows` returns besides its rows. Fails where it is too late to commit. */
export const mayCommit = (placeholder: string): string =>
  `1 / (clock_timestamp() < ${placeholder}::timestamptz)::int`;

const divisionByZero = '22012';
const isTooLate = (error: unknown): boolean => codeOf(error) === divisionByZero;

const viewOfCall = () => currentCall()?.view ?? undefined;
