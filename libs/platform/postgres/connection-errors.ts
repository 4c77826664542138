import { TimeoutError } from '../async/with-timeout.js';

/** There is no connection to run a statement on. Its cause is what the driver said. */
export class ConnectionError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = new.target.name;
  }
}

/** The connection broke or was cut off, or the server can not be reached. */
export class ConnectionLost extends ConnectionError {}

/** The pool had no connection to lend: none was free or could be made in time, or the pool is closing. */
export class NoConnection extends ConnectionError {}

/** Client and server do not agree on how to connect: TLS, certificate, authentication. Trying again does not help. */
export class ConnectionRefused extends ConnectionError {}

/** A statement was not answered in time. The server may be gone, or still work on it. */
export class StatementTimedOut extends TimeoutError {
  constructor(timeoutMs: number) {
    super('statement', timeoutMs);
  }
}
