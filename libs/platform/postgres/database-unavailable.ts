import { ServiceUnavailable } from '../errors/common-errors.js';

/** 503: no server of the database can answer this now. */
export class DatabaseUnavailable extends ServiceUnavailable {
  constructor(cause?: unknown) {
    super('The database is not available.', { code: 'database_unavailable', cause });
  }
}

/** The server answers for another one than it was taken for, or is behind: the read has to go elsewhere. */
export class NotUsable extends DatabaseUnavailable {
  constructor(reason: string) {
    super(new Error(reason));
  }
}
