import { prepared, type Statement } from '../postgres/statement.js';

/** A write as one statement, for one call or for several at once. `$1` is a JSON array with a row for each call. */
export interface RowWrite {
  /** For one call. It waits for rows that another transaction has locked. */
  readonly alone: Statement;
  /** For several. It leaves out the calls whose rows are locked: they wait by themselves. */
  readonly together: Statement;
}

/** The row of a call: its columns by their names in `callsSql`. */
export type RowValues = Readonly<Record<string, unknown>>;

/**
 * `textOf` gives the text, for the clause that locks rows. Its first column is `n` of `callsSql`, and it returns a row for each
 * call, or none for one that has no effect. What it changes it must find by `callsSql`, and it must return `mayCommit` for each
 * row that it changes.
 */
export function rowWrite(textOf: (forUpdate: string) => string): RowWrite {
  return {
    alone: prepared(textOf('FOR UPDATE')),
    together: prepared(textOf('FOR UPDATE SKIP LOCKED')),
  };
}

/**
 * A CTE `calls` with the rows of `$1`, whose columns are these, and the number `n` of each.
 *
 * Its condition is always true, and lets the planner expect one row instead of a hundred: what belongs to a row is then always
 * found by an index, also by a plan that was made when its table was new and small.
 */
export const callsSql = (columns: string): string => `
  calls AS MATERIALIZED (
    SELECT call.*, ordinality::int AS n
    FROM ROWS FROM (json_to_recordset($1::json) AS (${columns})) WITH ORDINALITY AS call
    WHERE sign(ordinality) = 1)`;

/** Fails where it is too late to commit: `$2` is the latest time, see `Writer`. */
export const mayCommit = `1 / (clock_timestamp() < $2::timestamptz)::int`;
