import { PreconditionFailed } from '../platform/errors/common-errors.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { versionEtag } from '../platform/http/etag.js';

/** 404: no such task, or not one of the caller's, or (where a live one is needed) one in the trash. */
export class TaskNotFound extends DomainError {
  constructor() {
    super({ status: 404, code: 'task_not_found', detail: 'There is no such task.' });
  }
}

/** 409: a task that is not in the trash can't be restored from it. */
export class TaskNotDeleted extends DomainError {
  constructor() {
    super({ status: 409, code: 'task_not_deleted', detail: 'The task is not in the trash.' });
  }
}

/** 412: the task is not at the version that an operation of a bulk call names. */
export class TaskChanged extends DomainError {
  constructor(currentVersion: number) {
    const { status, code, headers } = new PreconditionFailed(versionEtag(currentVersion));
    super({
      status,
      code,
      headers,
      detail: `The task is at version ${currentVersion}, not at that of if_version.`,
    });
  }
}

/** An atomic bulk call fails as its first failing operation does, and says which one that is. */
export class OperationFailed extends DomainError {
  constructor(index: number, error: DomainError) {
    const { status, code, type, headers, message } = error;
    const errors = [{ pointer: operationPointer(index), code, message }];
    super({ status, code, type, headers, detail: message, errors, cause: error });
  }
}

export const operationPointer = (index: number): string => `/operations/${index}`;
