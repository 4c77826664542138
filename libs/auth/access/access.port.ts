import type { Answered } from '../../platform/context/answered.js';
import type { FeatureName } from '../../platform/context/feature-name.js';

/** Public keys that may have signed an access token. The auth feature has them, or a JWKS client in another process. */
export abstract class VerificationKeys {
  /** The public key of that `kid` as PEM; null where it is unknown or retired. */
  abstract findPem(kid: string): string | null;
  /** Calls `listener` whenever keys were added or retired. */
  abstract onChange(listener: () => void): void;
}

/** Whether sessions are still active. The truth is `auth.sessions`. */
export abstract class SessionRegistry {
  /** Whose writes may end a session. */
  abstract readonly feature: FeatureName;
  /**
   * When the session expires unless it is revoked; null if it has ended. Consistency: sees every revocation that was
   * acknowledged before the request.
   */
  abstract findEnd(sessionId: string, userId: string): Promise<Answered<Date | null>>;
}
