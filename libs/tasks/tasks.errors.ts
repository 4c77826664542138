import { VersionMismatch } from '../platform/errors/common-errors.js';
import { DomainError } from '../platform/errors/domain-error.js';

/** No such task, or not one of the caller's, or (where a live one is needed) one in the trash. */
export class TaskNotFound extends DomainError {
  constructor() {
    super({ kind: 'not_found', code: 'task_not_found', message: 'There is no such task.' });
  }
}

/** Only a task that is in the trash can be restored. */
export class TaskNotDeleted extends DomainError {
  constructor() {
    super({ kind: 'conflict', code: 'task_not_deleted', message: 'The task is not in the trash.' });
  }
}

/** The task is not at the version that an operation of a bulk call expects. */
export class TaskChanged extends VersionMismatch {
  constructor(currentVersion: number) {
    super(currentVersion, `The task is at version ${currentVersion}, not at that of if_version.`);
  }
}

/** An operation of an atomic bulk call failed, and so did the call. */
export class OperationFailed extends DomainError {}

/** The error of one operation as the error of its call: the same kind, with a pointer to the operation. */
export function operationFailed(index: number, error: DomainError): DomainError {
  const { kind, code, message } = error;
  const more = { errors: [{ pointer: `/operations/${index}`, code, message }], cause: error };
  // A client needs the current version whatever it called.
  if (error instanceof VersionMismatch) return new VersionMismatch(error.currentVersion, message, more);
  return new OperationFailed({ kind, code, message, ...more });
}
