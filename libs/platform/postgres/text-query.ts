import type { Connection } from 'pg';
import { serialize } from 'pg-protocol';
import { prepareValue } from 'pg/lib/utils.js';
import type { Statement } from './statement.js';

/** What pg keeps of the statements that a connection has parsed. */
interface PgConnection extends Connection {
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
}

/** Values as pg sends them. */
export const sentValues = (values: readonly unknown[]) => values.map((value) => prepareValue(value));

/**
 * The messages that run a statement once, without the Sync that ends them. It is parsed first where the connection does not know
 * it, nor the messages before these: `parsed` has the names of theirs, and gets this one.
 */
export function runMessages(
  connection: Connection,
  { name, text }: Statement,
  values: (string | Buffer | null)[],
  parsed = new Set<string>(),
): Buffer[] {
  const { parsedStatements } = connection as PgConnection;
  const isKnown = name !== '' && (parsedStatements[name] !== undefined || parsed.has(name));
  parsed.add(name);
  return [
    ...(isKnown ? [] : [serialize.parse({ name, text })]),
    serialize.bind({ statement: name, values }),
    serialize.execute(),
  ];
}

/** What pg tells a query that takes all of its rows as text and asks for all of them at once: nothing to do. */
export abstract class TextQuery {
  handleRowDescription(): void {
    // Not asked for.
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
