import { Unauthenticated } from '../platform/errors/common-errors.js';
import { DomainError } from '../platform/errors/domain-error.js';

/** 409. The one place that admits whether an address has an account. */
export class EmailTaken extends DomainError {
  constructor(cause: unknown) {
    super({
      status: 409,
      code: 'email_taken',
      detail: 'There is an account with this e-mail address.',
      cause,
    });
  }
}

/** 401: unknown address or wrong password; nobody learns which. */
export class InvalidCredentials extends Unauthenticated {
  constructor() {
    super('E-mail or password is wrong.', 'invalid_credentials');
  }
}

/** 401: never issued by us, or its session has ended. */
export class InvalidRefreshToken extends Unauthenticated {
  constructor() {
    super('The refresh token is not, or no longer, good. Log in again.', 'invalid_refresh_token');
  }
}

/** 401: an old token came again; the session is over. */
export class RefreshTokenReused extends Unauthenticated {
  constructor() {
    super('The refresh token was used before, so its session has been ended. Log in again.', 'token_reused');
  }
}

/** 409: another request with the same token was faster. */
export class RefreshSuperseded extends DomainError {
  constructor() {
    super({
      status: 409,
      code: 'refresh_superseded',
      detail: 'The refresh token was exchanged a moment ago: use the one that came of it.',
    });
  }
}

/** 422: a token from a mail that is unknown, used or too old. */
export class InvalidMailToken extends DomainError {
  constructor() {
    const message = 'is unknown, used or too old';
    super({
      status: 422,
      code: 'invalid_token',
      detail: 'The token is unknown, used or too old. Ask for a new mail.',
      errors: [{ pointer: '/token', code: 'invalid_token', message }],
    });
  }
}

/** 403: the caller is known, but the current password is wrong. */
export class InvalidPassword extends DomainError {
  constructor() {
    super({ status: 403, code: 'invalid_password', detail: 'The current password is wrong.' });
  }
}

/** 404: not there, over, or somebody else's. */
export class SessionNotFound extends DomainError {
  constructor() {
    super({ status: 404, code: 'session_not_found', detail: 'You have no such session.' });
  }
}
