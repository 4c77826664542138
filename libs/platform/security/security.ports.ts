import type { KeyObject } from 'node:crypto';

/** Public keys that may have signed an access token. The auth feature has them, or a JWKS client in another process. */
export abstract class VerificationKeys {
  /** The key of that `kid`, or null where it is unknown or retired. */
  abstract find(kid: string): KeyObject | null;
}

/** Whether sessions still stand. The truth is `auth.sessions`. */
export abstract class SessionRegistry {
  /** Whose writes may end a session. */
  abstract readonly feature: string;
  /**
   * When the session ends if nobody ends it before; null where it does not stand. Consistency: sees every revocation that
   * was acknowledged before the request.
   */
  abstract findEnd(sessionId: string, userId: string): Promise<Date | null>;
}
