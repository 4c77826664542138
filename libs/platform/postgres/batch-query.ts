import { DatabaseError, type Connection, type Submittable } from 'pg';
import { serialize } from 'pg-protocol';
import type { Statement, TextRow } from './statement.js';
import { runMessages, sentValues, TextQuery } from './text-query.js';

/** A read of a batch. It is answered, or fails, once at most. */
export interface SentRead {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  answer(rows: readonly TextRow[]): void;
  fail(error: unknown): void;
}

/**
 * Several reads as one query of pg. They end with one Sync, so that the server runs them as one transaction, and sends its answers
 * together: sent one by one, they would wake this process, and its clients, as often as without a batch.
 */
export class BatchQuery extends TextQuery implements Submittable {
  /** pg sets one where there is none. */
  readonly callback = (): void => undefined;
  /** How many reads were answered; the next one is under way. */
  private answered = 0;
  private rows: TextRow[] = [];
  isOver = false;

  constructor(
    private readonly reads: readonly SentRead[],
    private readonly failureOf: (error: Error) => Error,
    /** All were answered; or no more answers come, because of that failure. */
    private readonly onEnd: (failure: Error | null) => void,
  ) {
    super();
  }

  /** pg remembers under this name that the statement under way was parsed. */
  get name(): string {
    return this.reads[this.answered]?.statement.name ?? '';
  }

  get text(): string {
    return this.reads[this.answered]?.statement.text ?? '';
  }

  submit(connection: Connection): null {
    const parsed = new Set<string>();
    const runs = this.reads.flatMap(({ statement, values }) =>
      runMessages(connection, statement, sentValues(values), parsed),
    );
    connection.stream.write(Buffer.concat([...runs, serialize.sync()]));
    return null;
  }

  /** No answer comes any more. */
  giveUp(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onEnd(error);
  }

  handleDataRow({ fields }: { readonly fields: TextRow }): void {
    this.rows.push(fields);
  }

  handleCommandComplete(): void {
    const { rows } = this;
    this.rows = [];
    const read = this.reads[this.answered++];
    if (!this.isOver) read?.answer(rows);
  }

  handleReadyForQuery(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onEnd(null);
  }

  /** An error of the server is that of the read under way. That the connection was lost is none of a read. */
  handleError(error: Error): void {
    const failure = this.failureOf(error);
    if (!this.isOver && failure instanceof DatabaseError) this.reads[this.answered]?.fail(failure);
    this.giveUp(failure);
  }
}
