/** One field, parameter or operation that a problem is about. */
export interface ProblemDetail {
  /** JSON pointer into the body, or `/name` of a query or path parameter. */
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

export interface DomainErrorOptions {
  readonly status: number;
  /** Stable, machine-readable: clients may switch on it. */
  readonly code: string;
  readonly detail: string;
  /** Defaults to `urn:task-api:problem:<code>`. */
  readonly type?: string;
  readonly errors?: readonly ProblemDetail[];
  /** Sent with the problem, e.g. `Retry-After`, `ETag`, `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * An error that a client may see. Services throw subclasses of it; the problem
 * filter turns each into `application/problem+json` (RFC 9457) and nothing else does.
 */
export class DomainError extends Error {
  readonly status: number;
  readonly code: string;
  readonly type: string;
  readonly errors: readonly ProblemDetail[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: DomainErrorOptions) {
    super(options.detail, { cause: options.cause });
    this.name = new.target.name;
    this.status = options.status;
    this.code = options.code;
    this.type = options.type ?? `urn:task-api:problem:${options.code}`;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }
}
