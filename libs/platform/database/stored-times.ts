/**
 * Times that are stored come from the database's clock: the clocks of processes differ. They have whole milliseconds, as
 * the answers do, so that an answer says what a later read says. All are SQL expressions.
 */

/** For a new row: the time of the statement, the same in all its rows and columns. */
export const statementTime = `date_trunc('milliseconds', statement_timestamp())`;

/** For a row that is locked: the time now, which goes on while a statement waits for its lock. */
export const currentTime = `date_trunc('milliseconds', clock_timestamp())`;

/**
 * For a change of a row: the time of the change, or the latest of these columns where that is later, because the clock of
 * a new primary may be behind. Not `now()`, when the transaction began: it may have waited since for others to commit.
 */
export const timeAfter = (...columns: readonly [string, ...string[]]): string =>
  `greatest(${currentTime}, ${columns.join(', ')})`;
