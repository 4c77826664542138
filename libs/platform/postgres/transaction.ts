import type { EntityManager, QueryRunner } from 'typeorm';
import type { PoolClient } from 'pg';
import { isReadTimeout } from './client-connection.js';
import { commit } from './commit.js';
import { idleInTransactionMs, type ConnectionConfig } from './data-source.js';
import { measured, operations } from './postgres-metrics.js';
import type { Position } from '../positions/position.js';
import { isDatabaseUnavailable, isReadOnly } from './postgres-errors.js';
import type { PostgresServer } from './postgres-server.js';

/** A transaction that ended with an error of which nobody can say whether it took effect. */
export class UnknownOutcome extends Error {}

/**
 * Runs `run` in a transaction on the primary and commits it, if `confirm` still agrees when it is done.
 *
 * @throws UnknownOutcome, with the error as its cause, where COMMIT was sent and not answered with a refusal
 */
export async function transact<T>(
  primary: PostgresServer,
  config: ConnectionConfig,
  run: (manager: EntityManager) => Promise<T>,
  confirm: () => Promise<void>,
): Promise<{ result: T; position: Position }> {
  try {
    return await primary.borrow('write', async (runner, client) => {
      await runner.startTransaction();
      const result = await orRollBack(runner, async () => {
        if (config.DATABASE_POOLER) await runner.query(timeoutsSql(config));
        const result = await run(runner.manager);
        await confirm();
        return result;
      });
      return { result, position: await commitOrRollBack(runner, client) };
    });
  } catch (error) {
    if (isReadOnly(error)) {
      // A failover made a standby of it: its connections lead nowhere any more.
      primary.lose(error);
      primary.reset();
    }
    throw error;
  }
}

async function orRollBack<T>(runner: QueryRunner, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // Behind a statement that hangs a ROLLBACK would hang too; the connection is cut off instead.
    if (runner.isTransactionActive && !isReadTimeout(error))
      await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

async function commitOrRollBack(runner: QueryRunner, client: PoolClient): Promise<Position> {
  try {
    return await measured(operations.commit.primary, () => commit(runner, client));
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
