import { ServiceUnavailable } from '../errors/common-errors.js';

/** 503: no server of the database can answer this now. */
export class DatabaseUnavailable extends ServiceUnavailable {
  constructor(cause?: unknown) {
    super('The database is not available.', { code: 'database_unavailable', cause });
  }
}
