import { DatabaseError } from 'pg';
import { databaseOf, type Position } from '../positions/position.js';
import { confirmed } from './commit.js';
import { NotUsable } from './database-unavailable.js';
import { isDatabaseUnavailable } from './postgres-errors.js';
import { commitProgressSql } from './position-sql.js';
import type { PostgresServer } from './postgres-server.js';
import { prepared, type Statement, type TextRow } from './statement.js';
import { UnknownOutcome } from './transaction.js';

const progress = prepared(commitProgressSql);

/**
 * Runs a statement that is a transaction of its own, and asks for the position after its commit, in one round trip. The
 * position is past the commit, because the server runs one after the other.
 *
 * @throws UnknownOutcome where it may have taken effect
 */
export function commitStatement(
  primary: PostgresServer,
  statement: Statement,
  /** Called when there is a connection: a statement may have waited for that. */
  values: () => Promise<readonly unknown[]>,
): Promise<{ readonly rows: readonly TextRow[]; readonly position: Position }> {
  return primary.borrowForWrite(async ({ session, outlastDeadline }) => {
    const { state } = primary;
    if (state === null) throw new NotUsable(`${primary.name} does not answer`);
    const sentValues = await values();
    // It commits as soon as it has arrived.
    outlastDeadline();
    const { client } = session;
    let ranAt: number | null = null;
    const told = {
      ran: () => void (ranAt = performance.now()),
      committed: () => {
        if (ranAt !== null)
          primary.metrics.operations.commit.primary.measured((performance.now() - ranAt) / 1000);
      },
    };
    const sent = confirmed(client, () => client.bothRows(statement, sentValues, progress, told));
    const [rows, [row]] = await orUnknown(sent, () => ranAt !== null);
    const [reached, standbyNames, level, rule] = row ?? [];
    if (typeof reached !== 'string' || typeof standbyNames !== 'string' || typeof level !== 'string')
      throw new Error('A position without a row');
    const acknowledging = primary.acknowledge({ standbyNames, level, rule: Number(rule) });
    if (acknowledging !== null) await orUnknownAlways(acknowledging);
    return { rows, position: databaseOf(state.position) + reached };
  });
}

/** It has committed: nothing that is asked afterwards can refuse that. */
async function orUnknownAlways(asking: Promise<void>): Promise<void> {
  await asking.catch((error: unknown) => {
    throw new UnknownOutcome('It is not known whether the write will last.', { cause: error });
  });
}

/** What the server refused before the statement was done has no effect; nor has a COMMIT that it refused. */
async function orUnknown<T>(sent: Promise<T>, isDone: () => boolean): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    const isRefused = error instanceof DatabaseError && !(isDone() && isDatabaseUnavailable(error));
    if (isRefused) throw error;
    throw new UnknownOutcome('It is not known whether the write took effect.', { cause: error });
  }
}
