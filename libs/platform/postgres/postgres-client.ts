import { Client, DatabaseError, type ClientConfig } from 'pg';
import { ConnectionLost, ConnectionRefused } from './connection-errors.js';
import { codeOf } from './error-code.js';
import { superviseQueries } from './supervised-queries.js';

export interface PostgresClientConfig extends ClientConfig {
  /** Longest wait for the answer to a statement. The server's own `statement_timeout` should be shorter, to answer first. */
  readonly answerTimeoutMs: number;
  /** Statements are spans of the calls that they belong to. */
  readonly isTraced?: boolean;
}

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
  constructor({ answerTimeoutMs, isTraced = false, ...config }: PostgresClientConfig) {
    super(config);
    const { host: address, port, database = '' } = this;
    superviseQueries(this, {
      timeoutMs: answerTimeoutMs,
      tracedAs: isTraced ? { address, port, database } : null,
    });
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
