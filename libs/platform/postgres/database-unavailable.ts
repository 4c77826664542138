import { ServiceUnavailable } from '../errors/common-errors.js';

/** No server of the database can answer this now. */
export class DatabaseUnavailable extends ServiceUnavailable {
  constructor(cause?: unknown, message = 'The database is not available.', code = 'database_unavailable') {
    super(message, { code, cause });
  }
}

/** The commit was sent, and nobody knows whether it took effect. */
export class OutcomeUnknown extends DatabaseUnavailable {
  constructor(cause: unknown) {
    super(
      cause,
      'It is not known whether the write took effect. Look for it, or repeat a POST with the same Idempotency-Key.',
      'outcome_unknown',
    );
  }
}

/** The server is behind, or is another one than the address led to before: the operation has to go elsewhere. */
export class NotUsable extends DatabaseUnavailable {
  constructor(reason: string) {
    super(new Error(reason));
  }
}
