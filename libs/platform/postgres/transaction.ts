import type { EntityManager, QueryRunner } from 'typeorm';
import type { Position } from '../positions/position.js';
import { commit } from './commit.js';
import { NotUsable } from './database-unavailable.js';
import { idleInTransactionMs, type ConnectionConfig } from './data-source.js';
import { isDatabaseUnavailable } from './postgres-errors.js';
import type { PostgresServer } from './postgres-server.js';
import type { Session } from './session.js';

/** A transaction ended with an error, and it is unknown whether it took effect. `cause` is that error. */
export class UnknownOutcome extends Error {}

/**
 * Runs `run` in a transaction on the primary, then `confirm`, then COMMIT. COMMIT does not begin after the deadline of the
 * call; once sent, the deadline does not end it.
 *
 * @throws UnknownOutcome where COMMIT was sent and got no answer
 * @throws DeadlineExceeded where nothing was committed
 */
export function transact<T>(
  primary: PostgresServer,
  config: ConnectionConfig,
  run: (session: Session) => Promise<T>,
  confirm: ((manager: EntityManager) => Promise<void>) | null,
): Promise<{ result: T; position: Position }> {
  return primary.borrowForWrite(async ({ session, outlastDeadline }) => {
    const { runner, client } = session;
    const { state } = primary;
    if (state === null) throw new NotUsable(`${primary.name} does not answer`);
    await runner.startTransaction();
    const result = await orRollBack(runner, async () => {
      if (config.DATABASE_POOLER) await runner.query(timeoutsSql(config));
      const result = await run(session);
      await confirm?.(runner.manager);
      outlastDeadline();
      return result;
    });
    const committing = primary.metrics.operations.commit.primary.measure(() =>
      commit(primary, runner, client, state.position),
    );
    return { result, position: await orUnknown(runner, committing) };
  });
}

/** On a connection that was cut off the ROLLBACK fails at once; the server rolls back by itself then. */
async function orRollBack<T>(runner: QueryRunner, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

/** Only where the server refused the COMMIT it is known that nothing took effect. */
async function orUnknown<T>(runner: QueryRunner, committing: Promise<T>): Promise<T> {
  try {
    return await committing;
  } catch (error) {
    const isRefused = runner.isTransactionActive && !isDatabaseUnavailable(error);
    if (!isRefused)
      throw new UnknownOutcome('It is not known whether the write took effect.', { cause: error });
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

const timeoutsSql = (config: ConnectionConfig): string =>
  `SET LOCAL statement_timeout = ${Math.floor(config.DATABASE_STATEMENT_TIMEOUT_MS)};
   SET LOCAL idle_in_transaction_session_timeout = ${Math.floor(idleInTransactionMs(config))}`;
