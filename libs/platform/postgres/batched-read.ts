import type { Position } from '../positions/position.js';
import type { SentRead } from './batch-query.js';
import type { PostgresClient } from './postgres-client.js';
import { serverPositionSql } from './probe-sql.js';
import { prepared, type TextRow } from './statement.js';

/** The rows of a read. Null: it was not run. */
export type ReadAnswer = readonly TextRow[] | null;

export interface WantedRead extends Pick<SentRead, 'statement' | 'values'> {
  /** Whether it may be run on this connection, asked just before. */
  readonly isGood: (client: PostgresClient) => boolean;
  /** Whether it may be run on a server that says this of itself in the same transaction. Default: not asked. */
  readonly isRight?: ((isStandby: boolean, position: Position) => boolean) | undefined;
}

/** A statement that waits for a connection which it shares with others. It is answered once; what comes later is ignored. */
export interface BatchedRead extends WantedRead, SentRead {
  /** It has its connection. */
  begin(): void;
  answer(rows: ReadAnswer): void;
}

const positionOf = prepared(serverPositionSql);

/** Asks for the position first where one of the reads needs it. */
export function withPosition(reads: readonly BatchedRead[]): readonly SentRead[] {
  if (reads.every(({ isRight }) => isRight === undefined)) return reads;
  let found: TextRow = [];
  const isFoundRight = ({ isRight }: BatchedRead): boolean => {
    const [standby, position] = found;
    return isRight === undefined || (typeof position === 'string' && isRight(standby === 't', position));
  };
  const question: SentRead = {
    ...{ statement: positionOf, values: [] },
    answer: ([row]) => void (found = row ?? []),
    fail: () => undefined,
  };
  const checked = reads.map((read): SentRead => ({
    ...read,
    answer: (rows) => read.answer(isFoundRight(read) ? rows : null),
  }));
  return [question, ...checked];
}
