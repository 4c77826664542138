import { STATUS_CODES } from 'node:http';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../platform/errors/domain-error.js';
import { Idempotency, type IdempotentCall } from '../../platform/database/idempotency.js';
import { Reply } from '../../platform/http/reply.js';
import { OperationFailed } from '../tasks.errors.js';
import { lockTasks } from '../tasks.repository.js';
import { bulkResultSchema, type Bulk, type OperationResult, type TaskOperation } from './bulk.schemas.js';
import { TaskBatch } from './task-batch.js';

@Injectable()
export class TaskBulkService {
  constructor(private readonly idempotency: Idempotency) {}

  /**
   * Runs the operations in their order, in one transaction.
   *
   * @throws OperationFailed where the call is atomic and an operation fails: then nothing is stored
   */
  run(call: IdempotentCall | null, userId: string, { operations, atomic }: Bulk): Promise<Reply> {
    return this.idempotency.run(call, bulkResultSchema, async (manager) => {
      const locked = await lockTasks(manager, userId, idsOf(operations));
      const batch = new TaskBatch(userId, locked, new Date());
      const results = operations.map((operation, index) => applyOne(batch, operation, index, atomic));
      await batch.store(manager);
      return new Reply({ results }, { status: 200 });
    });
  }
}

function applyOne(
  batch: TaskBatch,
  operation: TaskOperation,
  index: number,
  isAtomic: boolean,
): OperationResult {
  try {
    return batch.apply(operation);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const failure = new OperationFailed(index, error);
    if (isAtomic) throw failure;
    return { status: failure.status, problem: describe(failure) };
  }
}

const idsOf = (operations: readonly TaskOperation[]): string[] => [
  ...new Set(operations.flatMap((operation) => (operation.op === 'create' ? [] : [operation.id]))),
];

function describe({ type, status, message, code, errors }: DomainError): OperationResult['problem'] {
  return { type, title: STATUS_CODES[status] ?? 'Error', status, detail: message, code, errors: [...errors] };
}
