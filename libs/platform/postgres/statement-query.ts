import type { Connection, Submittable } from 'pg';
import { serialize } from 'pg-protocol';
import { prepareValue } from 'pg/lib/utils.js';
import type { Statement, TextRow } from './statement.js';

/** What pg keeps of the statements that a connection has parsed. */
interface PgConnection extends Connection {
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
}

/**
 * One run of a statement, as pg's own `Query` but with less to do: the types of the columns are not asked for, because all
 * are taken as text, and nothing is converted. pg calls the `handle…` methods as the answers of the server arrive.
 */
export class StatementQuery implements Submittable {
  /** pg keeps it among the statements that are parsed. */
  readonly name: string;
  readonly text: string;
  /** pg sets one where there is none. */
  readonly callback: (error: Error | null, result?: readonly TextRow[]) => void;
  private readonly values: (string | Buffer | null)[];
  private readonly rows: TextRow[] = [];
  private isSent = false;
  private followers: readonly StatementQuery[] = [];
  private onDone: (() => void) | null = null;

  constructor(
    { name, text }: Statement,
    values: readonly unknown[],
    done: (error: Error | null, rows?: readonly TextRow[]) => void,
  ) {
    this.name = name;
    this.text = text;
    this.values = values.map((value) => prepareValue(value));
    this.callback = done;
  }

  /** `followers` are sent with it. pg must be given those right after it, in their order. */
  sendWith(followers: readonly StatementQuery[]): void {
    this.followers = followers;
  }

  /** Calls `onDone` when the server has run it, but not committed. */
  tellDone(onDone: () => void): void {
    this.onDone = onDone;
  }

  /** Sends it in one piece with its followers: each write would wake the server. */
  submit(connection: Connection): null {
    if (this.isSent) return null;
    const parts: Buffer[] = [];
    const parsed = new Set<string>();
    for (const query of [this, ...this.followers]) {
      query.isSent = true;
      query.addTo(parts, connection as PgConnection, parsed);
    }
    connection.stream.write(Buffer.concat(parts));
    return null;
  }

  /** `parsed`: the names of those that are parsed by what is sent before it. */
  private addTo(parts: Buffer[], { parsedStatements }: PgConnection, parsed: Set<string>): void {
    const { name, text, values } = this;
    if (name === '' || (parsedStatements[name] === undefined && !parsed.has(name)))
      parts.push(serialize.parse({ name, text }));
    parsed.add(name);
    parts.push(serialize.bind({ statement: name, values }), serialize.execute(), serialize.sync());
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

  handleRowDescription(): void {
    // Not asked for.
  }

  handleCommandComplete(): void {
    this.onDone?.();
  }

  handleEmptyQuery(): void {
    // No rows.
  }

  handlePortalSuspended(): void {
    // All rows are asked for at once.
  }

  handleCopyInResponse(connection: Connection): void {
    (connection as unknown as { sendCopyFail(reason: string): void }).sendCopyFail(
      'There is nothing to copy.',
    );
  }
}
