import { inClientSpan } from '../telemetry/tracer.js';
import { StatementTimedOut } from './connection-errors.js';
import { describeStatement, type TracedServer } from './statement-span.js';

type Callback = (error: Error | null | undefined, result?: unknown) => void;

/** What `superviseQueries` needs of a connection. */
export interface Supervised {
  query(...args: unknown[]): unknown;
  /** Destroys the connection. */
  cut(): void;
  /** A commit was not answered in time. The connection is kept until it is: see `PostgresClient.owing`. */
  owe(answered: Promise<void>): void;
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
    const owe = isCommitting(statement, text) ? client.owe.bind(client) : null;
    const ask = () => answerOf(client, (done: Callback) => send(statement, values, done), timeoutMs, owe);
    return tracedAs === null ? ask() : inClientSpan(() => describeStatement(text, tracedAs), ask);
  };
}

/**
 * The answer that `send` gives to its callback. Where it does not come in time the connection is cut off, or, with `owe`, kept until
 * the answer is there.
 *
 * @throws StatementTimedOut
 */
export function answerOf<T>(
  client: Pick<Supervised, 'cut' | 'failureOf'>,
  send: (done: (error: Error | null | undefined, result?: T) => void) => void,
  timeoutMs: number,
  owe: Supervised['owe'] | null = null,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isAnswered = false;
    let onLateAnswer: () => void = () => undefined;
    const giveUp = () => {
      if (isAnswered) return;
      reject(new StatementTimedOut(timeoutMs));
      if (owe === null) client.cut();
      else owe(new Promise((answered) => (onLateAnswer = answered)));
    };
    // An answer that has arrived is read first: a busy process must not blame the server.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    send((error, result) => {
      isAnswered = true;
      clearTimeout(timer);
      onLateAnswer();
      if (error === null || error === undefined) resolve(result as T);
      else reject(client.failureOf(error));
    });
  });
}

/** A COMMIT, or a statement that commits by itself. */
const isCommitting = (query: unknown, text: string): boolean =>
  text === 'COMMIT' || (typeof query === 'object' && query !== null && 'isCommitting' in query);

function textOf(query: unknown): string | null {
  if (typeof query === 'string') return query;
  if (typeof query !== 'object' || query === null || 'submit' in query) return null;
  return 'text' in query && typeof query.text === 'string' ? query.text : null;
}
