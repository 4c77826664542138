import { Unauthenticated } from '../platform/errors/common-errors.js';
import { DomainError } from '../platform/errors/domain-error.js';

/** The only answer that reveals whether an address has an account. */
export class EmailTaken extends DomainError {
  constructor(cause: unknown) {
    super({
      kind: 'conflict',
      code: 'email_taken',
      message: 'There is an account with this e-mail address.',
      cause,
    });
  }
}

/** Unknown address or wrong password; the client does not learn which. */
export class InvalidCredentials extends Unauthenticated {
  constructor() {
    super('E-mail or password is wrong.', 'invalid_credentials');
  }
}

/** Never issued by us, or its session has ended. */
export class InvalidRefreshToken extends Unauthenticated {
  constructor() {
    super('The refresh token is not, or no longer, good. Log in again.', 'invalid_refresh_token');
  }
}

/** An old token came again; the session is over. */
export class RefreshTokenReused extends Unauthenticated {
  constructor() {
    super('The refresh token was used before, so its session has been ended. Log in again.', 'token_reused');
  }
}

/** Another request with the same token came first. */
export class RefreshSuperseded extends DomainError {
  constructor() {
    super({
      kind: 'conflict',
      code: 'refresh_superseded',
      message: 'The refresh token was exchanged a moment ago: use the one that came of it.',
    });
  }
}

/** A token from a mail that is unknown, used or too old. */
export class InvalidMailToken extends DomainError {
  constructor() {
    const message = 'is unknown, used or too old';
    super({
      kind: 'invalid',
      code: 'invalid_token',
      message: 'The token is unknown, used or too old. Ask for a new mail.',
      errors: [{ pointer: '/token', code: 'invalid_token', message }],
    });
  }
}

/** The caller is known, but the current password is wrong. */
export class InvalidPassword extends DomainError {
  constructor() {
    super({ kind: 'forbidden', code: 'invalid_password', message: 'The current password is wrong.' });
  }
}

/** Common, a pattern, or made of what is known of the user. */
export class WeakPassword extends DomainError {
  constructor(field: string) {
    const message = 'is too easy to guess: a common password, a pattern, or your own name or address';
    super({
      kind: 'invalid',
      code: 'weak_password',
      message: `The password ${message}. Take a few words that have nothing to do with each other.`,
      errors: [{ pointer: `/${field}`, code: 'weak_password', message }],
    });
  }
}

/** The address that the account is to have is its own already. */
export class EmailUnchanged extends DomainError {
  constructor() {
    super({
      kind: 'invalid',
      code: 'email_unchanged',
      message: 'This is the e-mail address of your account already.',
      errors: [{ pointer: '/new_email', code: 'email_unchanged', message: 'is your address already' }],
    });
  }
}

/** Not there, over, or somebody else's. */
export class SessionNotFound extends DomainError {
  constructor() {
    super({ kind: 'not_found', code: 'session_not_found', message: 'You have no such session.' });
  }
}
