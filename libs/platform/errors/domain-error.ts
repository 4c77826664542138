/** One field, parameter or operation that an error is about. */
export interface ErrorDetail {
  /** JSON pointer into the body, or `/name` of a query or path parameter. */
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** The kind of failure. Each transport maps it: to a status of HTTP, to a code of gRPC. */
export type ErrorKind =
  /** It can't be read at all. */
  | 'malformed'
  /** The caller is not known. */
  | 'unauthenticated'
  /** The caller is known and has no right to it. */
  | 'forbidden'
  /** It does not exist, or not for this caller. */
  | 'not_found'
  /** It contradicts the current state. */
  | 'conflict'
  /** The current version is not the expected one. */
  | 'version_mismatch'
  /** It is well formed, but its content is invalid. */
  | 'invalid'
  /** Over a limit. */
  | 'rate_limited'
  /** A part that it needs is not available or too slow: the client should retry. */
  | 'unavailable';

export interface DomainErrorOptions {
  readonly kind: ErrorKind;
  /** Stable, machine-readable: clients may switch on it. */
  readonly code: string;
  /** What happened and what a client can do about it. */
  readonly message: string;
  readonly errors?: readonly ErrorDetail[];
  /** When a retry makes sense. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An error that a client may see, independent of the transport. Services throw subclasses; adapters map them. */
export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly errors: readonly ErrorDetail[];
  readonly retryAfterSeconds: number | null;

  constructor(options: DomainErrorOptions) {
    super(options.message, { cause: options.cause });
    this.name = new.target.name;
    this.kind = options.kind;
    this.code = options.code;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}
