import type { Connection, Submittable } from 'pg';
import { serialize } from 'pg-protocol';
import type { Statement, TextRow } from './statement.js';
import { runMessages, sentValues, TextQuery } from './text-query.js';

/**
 * One run of a statement, as pg's own `Query` but with less to do: the types of the columns are not asked for, because all
 * are taken as text, and nothing is converted. pg calls the `handle…` methods as the answers of the server arrive.
 */
export class StatementQuery extends TextQuery implements Submittable {
  /** pg keeps it among the statements that are parsed. */
  readonly name: string;
  readonly text: string;
  /** pg sets one where there is none. */
  readonly callback: (error: Error | null, result?: readonly TextRow[]) => void;
  private readonly values: (string | Buffer | null)[];
  private readonly rows: TextRow[] = [];
  private isSent = false;
  private follower: StatementQuery | null = null;
  private onDone: (() => void) | null = null;

  constructor(
    { name, text }: Statement,
    values: readonly unknown[],
    done: (error: Error | null, rows?: readonly TextRow[]) => void,
  ) {
    super();
    this.name = name;
    this.text = text;
    this.values = sentValues(values);
    this.callback = done;
  }

  /** `follower` is sent with it. pg must be given that right after it. `onDone`: the server has run it, but not committed. */
  sendWith(follower: StatementQuery, onDone: () => void): void {
    this.follower = follower;
    this.onDone = onDone;
  }

  /** Sends it in one piece with its follower: each write would wake the server. */
  submit(connection: Connection): null {
    if (this.isSent) return null;
    this.isSent = true;
    const { follower } = this;
    const message = this.message(connection);
    if (follower === null) connection.stream.write(message);
    else {
      follower.isSent = true;
      connection.stream.write(Buffer.concat([message, follower.message(connection)]));
    }
    return null;
  }

  private message(connection: Connection): Buffer {
    return Buffer.concat([...runMessages(connection, this, this.values), serialize.sync()]);
  }

  handleDataRow({ fields }: { readonly fields: TextRow }): void {
    this.rows.push(fields);
  }

  handleReadyForQuery(): void {
    this.callback(null, this.rows);
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleCommandComplete(): void {
    this.onDone?.();
  }
}
