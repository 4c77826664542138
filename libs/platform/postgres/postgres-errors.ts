import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TransactionNotStartedError,
} from 'typeorm';
import { DatabaseUnavailable, NotUsable } from './database-unavailable.js';

/** SQLSTATE class 08 (connection), 57P0x (shutdown, starting up), 53 (no resources), 57014 (cancelled by a timeout). */
const unavailableStates = /^(08...|57P0[1-5]|53...|57014|25006|55P03)$/;
const unavailableSystemErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** node-postgres gives these no code (pg 8.23, client.js and pg-pool). */
const unavailableMessages =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after|Driver not Connected)/;

const releasedErrors = [
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TransactionNotStartedError,
];

/** True where the server is away, starting, out of connections or too slow: the client may try again. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  // TypeORM releases a runner whose connection breaks between two statements; the next one then meets these.
  if (releasedErrors.some((kind) => error instanceof kind)) return true;
  const cause = driverError(error);
  if (!(cause instanceof Error)) return false;
  const code = codeOf(cause);
  if (code !== undefined && (unavailableStates.test(code) || unavailableSystemErrors.has(code))) return true;
  return unavailableMessages.test(cause.message);
}

/** Deadlock or serialisation failure: the transaction had no effect and may be run again. */
export function isTransientConflict(error: unknown): boolean {
  const code = codeOf(driverError(error));
  return code === '40P01' || code === '40001';
}

/** A write met a server that only reads: it is a standby by now. */
export const isReadOnly = (error: unknown): boolean => codeOf(driverError(error)) === '25006';

export const isStatementTimeout = (error: unknown): boolean => codeOf(driverError(error)) === '57014';

/** A standby ended a query because what it replays stood against it; another server may answer it. */
export const isRecoveryConflict = (error: unknown): boolean =>
  codeOf(driverError(error)) === '40001' || codeOf(driverError(error)) === '57P04';

/** How the database failed an operation; null for what is no failure of its own, such as a constraint or a replica behind. */
export function errorKind(error: unknown): 'unavailable' | 'timeout' | 'conflict' | null {
  if (error instanceof NotUsable) return null;
  if (isStatementTimeout(error)) return 'timeout';
  if (isTransientConflict(error) || isRecoveryConflict(error)) return 'conflict';
  if (isDatabaseUnavailable(error)) return 'unavailable';
  return error instanceof Error && error.cause !== undefined ? errorKind(error.cause) : null;
}

/** NUL or a lone surrogate that got past validation. */
export function isUntranslatableText(error: unknown): boolean {
  const code = codeOf(driverError(error));
  return code === '22021' || code === '22P05';
}

/** The name of the unique constraint or index that was violated, or null if it was something else. */
export function violatedUnique(error: unknown): string | null {
  const cause = driverError(error);
  if (codeOf(cause) !== '23505' || !(cause instanceof Error)) return null;
  return 'constraint' in cause && typeof cause.constraint === 'string' ? cause.constraint : null;
}

function driverError(error: unknown): unknown {
  return error instanceof QueryFailedError ? error.driverError : error;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
