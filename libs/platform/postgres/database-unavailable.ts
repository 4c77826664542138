import { ServiceUnavailable } from '../errors/common-errors.js';

/** No server of the database can answer this now. */
export class DatabaseUnavailable extends ServiceUnavailable {
  constructor(cause?: unknown) {
    super('The database is not available.', { code: 'database_unavailable', cause });
  }
}

/** The server is behind, or is another one than the address led to before: the operation has to go elsewhere. */
export class NotUsable extends DatabaseUnavailable {
  constructor(reason: string) {
    super(new Error(reason));
  }
}
