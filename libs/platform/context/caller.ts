import { DomainError } from '../errors/domain-error.js';

/** Who calls, from a verified access token. The auth feature defines the roles and tiers. */
export interface Caller {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: string;
  readonly tier: string;
  /** When the password was last given in this session. */
  readonly authenticatedAt: Date;
}

const recentMs = 10 * 60_000;

/** The password was not given in the last 10 minutes. */
export class ReauthenticationRequired extends DomainError {
  constructor() {
    super({
      kind: 'forbidden',
      code: 'reauthentication_required',
      message: 'Log in again and repeat this within 10 minutes.',
    });
  }
}

/** @throws ReauthenticationRequired where the password was not given in the last 10 minutes */
export function requireRecentLogin({ authenticatedAt }: Caller, now = Date.now()): void {
  if (now - authenticatedAt.getTime() > recentMs) throw new ReauthenticationRequired();
}
