import { Client, DatabaseError, type ClientConfig } from 'pg';
import { BatchQuery, type SentRead } from './batch-query.js';
import { ConnectionLost, ConnectionRefused, StatementTimedOut } from './connection-errors.js';
import { codeOf } from './error-code.js';
import { inClientSpan } from '../telemetry/tracer.js';
import { StatementQuery } from './statement-query.js';
import { describeStatement, type TracedServer } from './statement-span.js';
import { prepared, type Statement, type TextRow } from './statement.js';
import { answerOf, superviseQueries } from './supervised-queries.js';

export interface PostgresClientConfig extends ClientConfig {
  /** Longest wait for the answer to a statement. The server's own `statement_timeout` should be shorter, to answer first. */
  readonly answerTimeoutMs: number;
  /** Statements are spans of the calls that they belong to. */
  readonly isTraced?: boolean;
}

const limitTime = prepared(`SELECT set_config('statement_timeout', $1::text, true)`);

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * A connection whose failures have types, which pg's own have not.
 *
 * `connect` rejects with ConnectionLost or ConnectionRefused, a statement with StatementTimedOut or ConnectionLost; both
 * with pg's DatabaseError where the server answered with an error.
 */
export class PostgresClient extends Client {
  /**
   * The answer to a commit that was not there in time; null: none is awaited. The commit may wait for a standby for long. If the
   * connection was cut off, others would take its place and wait as well; if the wait was ended, the commit would show although
   * nobody has confirmed it.
   */
  owing: Promise<void> | null = null;
  private readonly answerTimeoutMs: number;
  private readonly tracedAs: TracedServer | null;

  constructor({ answerTimeoutMs, isTraced = false, ...config }: PostgresClientConfig) {
    super(config);
    const { host: address, port, database = '' } = this;
    this.answerTimeoutMs = answerTimeoutMs;
    this.tracedAs = isTraced ? { address, port, database } : null;
    superviseQueries(this, { timeoutMs: answerTimeoutMs, tracedAs: this.tracedAs });
    // A connection that broke shows in its next statement. Without a listener the event would end the process.
    this.on('error', () => undefined);
  }

  /** Runs a statement. Returns its rows as text. */
  rows(statement: Statement, values: readonly unknown[]): Promise<readonly TextRow[]> {
    const { tracedAs } = this;
    const ask = () =>
      answerOf<readonly TextRow[]>(
        this,
        (done) => void this.query(new StatementQuery(statement, values, done)),
        this.answerTimeoutMs,
      );
    return tracedAs === null ? ask() : inClientSpan(() => describeStatement(statement.text, tracedAs), ask);
  }

  /**
   * The same, but the server ends it after `limitMs`, with the error of a statement timeout. The limit is set in the transaction
   * of the statement, in one round trip with it: the server counts the time of each of them anew.
   */
  rowsWithin(limitMs: number, statement: Statement, values: readonly unknown[]): Promise<readonly TextRow[]> {
    const { tracedAs } = this;
    const ask = () =>
      new Promise<readonly TextRow[]>((resolve, reject) => {
        const limit = { statement: limitTime, values: [limitMs], answer: () => undefined, fail: reject };
        const read = { statement, values, answer: resolve, fail: reject };
        // Rejecting after an answer or an error of its own has no effect.
        void this.runReads([limit, read], this.answerTimeoutMs).then(reject);
      });
    return tracedAs === null ? ask() : inClientSpan(() => describeStatement(statement.text, tracedAs), ask);
  }

  /**
   * Runs reads one after the other, in one round trip and one transaction (READ COMMITTED, so each has its own snapshot). One that
   * fails is told its error. Those behind it were not run, and get no answer; nor does any if the connection is lost, or cut off
   * because all together take longer than `timeoutMs`. Returns why not all were answered; null where they were.
   */
  runReads(reads: readonly SentRead[], timeoutMs: number): Promise<Error | null> {
    return new Promise((resolve) => {
      const query = new BatchQuery(
        reads,
        (error) => this.failureOf(error),
        (failure) => {
          clearTimeout(timer);
          resolve(failure);
        },
      );
      const giveUp = () => {
        if (query.isOver) return;
        query.giveUp(new StatementTimedOut(timeoutMs));
        this.cut();
      };
      // Answers that have arrived are read first: a busy process must not blame the server.
      const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
      void this.query(query);
    });
  }

  /**
   * Runs both, one after the other, in one round trip. `told` hears when the server has run the first, and when it has
   * committed it. Rejects with the error of the first, or with ConnectionLost where only the second failed.
   */
  bothRows(
    first: Statement,
    values: readonly unknown[],
    second: Statement,
    told: { ran(): void; committed(): void },
  ): Promise<readonly [readonly TextRow[], readonly TextRow[]]> {
    const { tracedAs } = this;
    const ask = () =>
      answerOf<readonly [readonly TextRow[], readonly TextRow[]]>(
        this,
        (done) => {
          let found: readonly TextRow[] | null = null;
          const after = new StatementQuery(second, [], (error, rows = []) => {
            // An error of the first is told already. One of the second must not look as if the first had been refused.
            if (error !== null) done(new ConnectionLost('the second statement was not answered', error));
            else if (found !== null) done(null, [found, rows]);
          });
          const before = new StatementQuery(first, values, (error, rows = []) => {
            if (error !== null) {
              done(error);
              return;
            }
            found = rows;
            told.committed();
          });
          before.sendWith(after, () => told.ran());
          void this.query(before);
          void this.query(after);
        },
        this.answerTimeoutMs,
        (answered) => this.owe(answered),
      );
    return tracedAs === null ? ask() : inClientSpan(() => describeStatement(first.text, tracedAs), ask);
  }

  /** Keeps the connection from its pool until the answer is there, or the connection breaks. */
  owe(answered: Promise<void>): void {
    this.owing = answered;
  }

  override connect(): Promise<Client>;
  override connect(callback: (error: Error | null) => void): void;
  override connect(callback?: (error: Error | null) => void): Promise<Client> | void {
    if (callback === undefined)
      return new Promise((resolve, reject) => {
        this.connect((error) => (error === null ? resolve(this) : reject(error)));
      });
    super.connect((error: Error | null) => {
      callback(error && this.connectFailureOf(error));
    });
  }

  /**
   * Breaks the connection off at once. The farewell of the protocol is left out, because a server that is gone never
   * answers it. A statement under way rejects with ConnectionLost, and so do all that follow.
   */
  cut(): void {
    this.connection.stream.destroy();
    // pg takes no more statements then, and a pool does not take the connection back.
    void this.end();
  }

  /** The server process of this connection, to be cancelled from another one. Behind a pooler it is not the server's. */
  get backend(): number | null {
    const { processID } = this as unknown as { readonly processID?: number | null };
    return processID ?? null;
  }

  failureOf(error: Error): Error {
    return error instanceof DatabaseError || this.isUsable
      ? error
      : new ConnectionLost('the connection to Postgres was lost', error);
  }

  /** By the state that pg keeps for pools: its errors have neither type nor code. */
  private get isUsable(): boolean {
    const { _queryable, _ending } = this as unknown as Readonly<Record<string, boolean>>;
    return _queryable === true && _ending !== true && !this.connection.stream.destroyed;
  }

  /** A connection that ended without an error of its own, or that took too long, has no code, and its stream is closed. */
  private connectFailureOf(error: Error): Error {
    if (error instanceof DatabaseError) return error;
    const code = codeOf(error);
    const isUnreachable = code === undefined ? this.connection.stream.destroyed : unreachableCodes.has(code);
    return isUnreachable
      ? new ConnectionLost(error.message, error)
      : new ConnectionRefused(error.message, error);
  }
}
