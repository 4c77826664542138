import type { Deadline } from '../context/deadline.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import type { PostgresClient } from './postgres-client.js';
import { isDatabaseUnavailable } from './postgres-errors.js';

/** A connection as the pool lends it. */
export interface Connection {
  readonly client: PostgresClient;
  readonly release: () => void;
}

/**
 * One use of a connection, from the wait for it to its return. It ends with the deadline of the call that it is for: the
 * wait ends, and a connection in use is interrupted, so that no statement runs on it any more.
 */
export class ConnectionUse<C extends Connection> {
  connection: C | null = null;
  private isExpired = false;
  private endWait: ((error: Error) => void) | null = null;
  private readonly forgetDeadline: () => void;

  constructor(
    private readonly deadline: Deadline,
    private readonly interrupt: (client: PostgresClient) => void,
  ) {
    this.forgetDeadline = deadline.onExpired(() => this.expire());
  }

  /** @throws DeadlineExceeded */
  requireTime(): void {
    this.deadline.throwIfExpired();
  }

  /** Waits for a connection. One that comes after the deadline is released. @throws DeadlineExceeded */
  wait(acquiring: Promise<C>): Promise<C> {
    return new Promise((resolve, reject) => {
      this.endWait = reject;
      acquiring.then((connection) => {
        if (this.isExpired) {
          connection.release();
          return;
        }
        this.connection = connection;
        resolve(connection);
      }, reject);
    });
  }

  /** What an error of the use means: DeadlineExceeded where the deadline interrupted it. */
  failureOf(error: unknown): unknown {
    return this.isExpired && isDatabaseUnavailable(error) ? new DeadlineExceeded() : error;
  }

  /**
   * From now on the deadline does not end the use: for a COMMIT, which must not be interrupted, because nobody could tell
   * whether it took effect.
   *
   * @throws DeadlineExceeded where the time is over already
   */
  readonly outlastDeadline = (): void => {
    this.deadline.throwIfExpired();
    this.deadline.isCommitSent = true;
    this.forgetDeadline();
  };

  /** Returns the connection to its pool. */
  end(): void {
    this.forgetDeadline();
    this.connection?.release();
  }

  private expire(): void {
    this.isExpired = true;
    this.endWait?.(new DeadlineExceeded());
    if (this.connection !== null) this.interrupt(this.connection.client);
  }
}
