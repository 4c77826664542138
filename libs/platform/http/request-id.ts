import { uuidv7 } from '../ids/uuid.js';

const acceptable = /^[A-Za-z0-9._-]{1,128}$/;

/** The client's `X-Request-Id` where it is harmless, else one of ours. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && acceptable.test(header) ? header : uuidv7();
}
