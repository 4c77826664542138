import { Injectable } from '@nestjs/common';
import { Idempotency, type IdempotentCall, type Outcome } from '../../platform/database/idempotency.js';
import { ValidationFailed } from '../../platform/errors/common-errors.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { errorsOf } from '../../platform/errors/schema-errors.js';
import { TaskEvents } from '../task-events.js';
import { operationFailed } from '../tasks.errors.js';
import { lockTasks } from '../tasks.repository.js';
import type { Bulk } from './bulk.schemas.js';
import { operationOutcomesSchema, type OperationOutcome } from './operation-outcome.js';
import { TaskBatch, type PendingOutcome } from './task-batch.js';

@Injectable()
export class TaskBulkService {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly events: TaskEvents,
  ) {}

  /**
   * Runs the operations in their order, in one transaction. Returns an outcome for each.
   *
   * @throws OperationFailed, or VersionMismatch, where the call is atomic and an operation fails: nothing is stored then
   */
  run(
    call: IdempotentCall | null,
    userId: string,
    { operations, atomic }: Bulk,
  ): Promise<Outcome<OperationOutcome[]>> {
    return this.idempotency.run(call, operationOutcomesSchema, async (manager) => {
      const locked = await lockTasks(manager, userId, idsOf(operations));
      const batch = new TaskBatch(userId, locked);
      const outcomes = operations.map((operation, index) => applyOne(batch, operation, index, atomic));
      await batch.store(manager, this.events);
      return outcomes.map((outcome) => outcome());
    });
  }
}

function applyOne(
  batch: TaskBatch,
  operation: Bulk['operations'][number],
  index: number,
  isAtomic: boolean,
): PendingOutcome {
  try {
    if (operation.op === 'invalid')
      throw new ValidationFailed(errorsOf(operation.issues), 'The operation has invalid fields.');
    return batch.apply(operation);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const failure = operationFailed(index, error);
    if (isAtomic) throw failure;
    const { kind, code, message, errors } = failure;
    return () => ({ outcome: 'failed', failure: { kind, code, message, errors: [...errors] } });
  }
}

const idsOf = (operations: Bulk['operations']): string[] => [
  ...new Set(operations.flatMap((operation) => ('id' in operation ? [operation.id] : []))),
];
