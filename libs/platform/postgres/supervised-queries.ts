import { inClientSpan } from '../telemetry/tracer.js';
import { StatementTimedOut } from './connection-errors.js';
import { describeStatement, type TracedServer } from './statement-span.js';

type Callback = (error: Error | null | undefined, result?: unknown) => void;

/** What `superviseQueries` needs of a connection. */
export interface Supervised {
  query(...args: unknown[]): unknown;
  /** Destroys the connection. */
  cut(): void;
  /** The error of a statement, by type. */
  failureOf(error: Error): Error;
}

export interface Supervision {
  /** Longest wait for the answer to a statement. */
  readonly timeoutMs: number;
  /** Each statement is a span of the call that it belongs to, to this server. Null: no spans. */
  readonly tracedAs: TracedServer | null;
}

/**
 * Wraps `query` of a connection: each statement has a timeout, fails with a typed error, and is a span of its call.
 *
 * A statement that times out rejects with StatementTimedOut, and the connection is cut off: whatever came next on it would
 * wait behind that statement.
 */
export function superviseQueries(client: Supervised, { timeoutMs, tracedAs }: Supervision): void {
  const send = client.query.bind(client);
  client.query = (...args) => {
    const [statement, values] = args;
    const text = textOf(statement);
    // Streams and calls with a callback of their own return no promise.
    if (text === null || typeof args.at(-1) === 'function') return send(...args);
    const ask = () => answerOf(client, (done: Callback) => send(statement, values, done), timeoutMs);
    return tracedAs === null ? ask() : inClientSpan(() => describeStatement(text, tracedAs), ask);
  };
}

/** The answer that `send` gives to its callback. @throws StatementTimedOut */
export function answerOf<T>(
  client: Pick<Supervised, 'cut' | 'failureOf'>,
  send: (done: (error: Error | null | undefined, result?: T) => void) => void,
  timeoutMs: number,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isAnswered = false;
    const giveUp = () => {
      if (isAnswered) return;
      reject(new StatementTimedOut(timeoutMs));
      client.cut();
    };
    // An answer that has arrived is read first: a busy process must not blame the server.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    send((error, result) => {
      isAnswered = true;
      clearTimeout(timer);
      if (error === null || error === undefined) resolve(result as T);
      else reject(client.failureOf(error));
    });
  });
}

function textOf(query: unknown): string | null {
  if (typeof query === 'string') return query;
  if (typeof query !== 'object' || query === null || 'submit' in query) return null;
  return 'text' in query && typeof query.text === 'string' ? query.text : null;
}
