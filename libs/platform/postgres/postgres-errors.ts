import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TransactionNotStartedError,
} from 'typeorm';
import { TimeoutError } from '../async/with-timeout.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import {
  ConnectionError,
  ConnectionLost,
  ConnectionRefused,
  NoConnection,
  StatementTimedOut,
} from './connection-errors.js';
import { DatabaseUnavailable, NotUsable } from './database-unavailable.js';
import { codeOf } from './error-code.js';

/** SQLSTATE class 08 (connection), 57P0x (shutdown, starting up), 53 (no resources), 57014 (cancelled by a timeout). */
const unavailableStates = /^(08...|57P0[1-5]|53...|57014|25006|55P03)$/;
const unavailableErrors = [
  DatabaseUnavailable,
  ConnectionLost,
  NoConnection,
  TimeoutError,
  // TypeORM releases a runner whose connection breaks between two statements; the next statement then meets these.
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TransactionNotStartedError,
];

/** The server is not available, starting, out of connections or too slow: the client may retry. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = driverError(error);
  return (
    unavailableErrors.some((kind) => cause instanceof kind) || unavailableStates.test(codeOf(cause) ?? '')
  );
}

/** Deadlock or serialisation failure: the transaction had no effect and may be run again. */
export function isTransientConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40P01' || state === '40001';
}

/** A write met a server that only reads: it is a standby by now. */
export const isReadOnly = (error: unknown): boolean => sqlState(error) === '25006';

/** The server ended a statement that took too long, or that somebody cancelled. */
export const isStatementTimeout = (error: unknown): boolean => sqlState(error) === '57014';

/** Of a server that stops, starts, or only reads by now. */
const lostStates = /^(08...|57P0[1-3]|25006)$/;

/** The connection broke, none was to be had, a statement was not answered, or the server is none to write to any more. */
export function isServerLost(error: unknown): boolean {
  const cause = driverError(error);
  if (cause instanceof ConnectionError) return !(cause instanceof ConnectionRefused);
  return isUnanswered(error) || lostStates.test(codeOf(cause) ?? '');
}

/** The server did not answer a statement at all. */
export const isUnanswered = (error: unknown): boolean => driverError(error) instanceof StatementTimedOut;

/** A standby cancelled a query that blocked its replay (recovery conflict); another server may answer it. */
export function isRecoveryConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '57P04';
}

/** How the database failed an operation. Null for errors that are not the database's, such as a constraint or a replica behind. */
export function errorKind(error: unknown): 'unavailable' | 'timeout' | 'conflict' | null {
  if (error instanceof NotUsable) return null;
  if (isStatementTimeout(error) || error instanceof DeadlineExceeded) return 'timeout';
  if (isTransientConflict(error) || isRecoveryConflict(error)) return 'conflict';
  if (isDatabaseUnavailable(error)) return 'unavailable';
  return error instanceof Error && error.cause !== undefined ? errorKind(error.cause) : null;
}

/** NUL or a lone surrogate that validation let through. */
export function isUntranslatableText(error: unknown): boolean {
  const state = sqlState(error);
  return state === '22021' || state === '22P05';
}

/** The name of the unique constraint or index that was violated; null for any other error. */
export function violatedUnique(error: unknown): string | null {
  const cause = driverError(error);
  if (codeOf(cause) !== '23505' || !(cause instanceof Error)) return null;
  return 'constraint' in cause && typeof cause.constraint === 'string' ? cause.constraint : null;
}

const driverError = (error: unknown): unknown =>
  error instanceof QueryFailedError ? error.driverError : error;

const sqlState = (error: unknown): string | undefined => codeOf(driverError(error));
