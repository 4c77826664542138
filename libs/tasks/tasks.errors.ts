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
  /** `stored`: the version that it has before the call, and after an atomic one, which stores nothing now. */
  constructor(version: number, stored: number) {
    const at =
      version === stored ? `at version ${version}` : `at version ${version} after the operations before`;
    super(stored, `The task is ${at}, not at that of if_version.`);
  }
}

/** An operation of an atomic bulk call failed, and so did the call. */
export class OperationFailed extends DomainError {}

/** The error of one operation as the error of its call: the same kind, with pointers to the operation or into it. */
export function operationFailed(index: number, error: DomainError): DomainError {
  const { kind, code, message } = error;
  const details = error.errors.length > 0 ? error.errors : [{ pointer: '', code, message }];
  const errors = details.map((detail) => ({ ...detail, pointer: `/operations/${index}${detail.pointer}` }));
  const more = { errors, cause: error };
  // A client needs the current version whatever it called.
  if (error instanceof VersionMismatch) return new VersionMismatch(error.currentVersion, message, more);
  return new OperationFailed({ kind, code, message, ...more });
}
