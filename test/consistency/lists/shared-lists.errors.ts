import { DomainError } from '../../../libs/platform/errors/domain-error.js';

/** The list is not one of the caller's. */
export class NotAMember extends DomainError {
  constructor() {
    super({ kind: 'forbidden', code: 'not_a_member', message: 'You are not a member of this list.' });
  }
}

/** Only the owner may change the membership of others. */
export class NotTheOwner extends DomainError {
  constructor() {
    super({ kind: 'forbidden', code: 'not_the_owner', message: 'Only the owner of the list may do that.' });
  }
}

export class ItemNotFound extends DomainError {
  constructor() {
    super({ kind: 'not_found', code: 'item_not_found', message: 'There is no such item.' });
  }
}
