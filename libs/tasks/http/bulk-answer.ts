import { z } from 'zod';
import { problemTitle, problemType, statusOfKind } from '../../platform/http/problem.js';
import type { OperationOutcome } from '../bulk/operation-outcome.js';
import { taskSchema } from '../tasks.schemas.js';

const operationProblemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.strictObject({ pointer: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'TaskOperationProblem', description: 'Why one operation of a bulk call failed.' });

const operationResultSchema = z
  .strictObject({
    status: z.int().meta({ description: 'As the operation alone would have answered' }),
    task: taskSchema.optional(),
    problem: operationProblemSchema.optional(),
  })
  .meta({ id: 'TaskOperationResult' });
type OperationResult = z.input<typeof operationResultSchema>;

export const bulkResultSchema = z
  .strictObject({
    results: z.array(operationResultSchema).meta({ description: 'One for each operation, in their order' }),
  })
  .meta({ id: 'TaskBulkResult' });

/** The answer to a bulk call: each operation as it would have been answered alone. */
export const bulkAnswer = (outcomes: readonly OperationOutcome[]): z.input<typeof bulkResultSchema> => ({
  results: outcomes.map(resultOf),
});

function resultOf(operation: OperationOutcome): OperationResult {
  switch (operation.outcome) {
    case 'created':
      return { status: 201, task: operation.task };
    case 'updated':
      return { status: 200, task: operation.task };
    case 'deleted':
      return { status: 204 };
    case 'failed': {
      const { kind, code, message, errors } = operation.failure;
      const status = statusOfKind[kind];
      const problem = {
        type: problemType(code),
        title: problemTitle(status),
        status,
        detail: message,
        code,
        errors,
      };
      return { status, problem };
    }
  }
}

/** What a bulk call costs: each operation counts as the call that it saves. */
export function operationCount(body: unknown): number {
  const operations: unknown =
    typeof body === 'object' && body !== null && 'operations' in body ? body.operations : [];
  return Array.isArray(operations) ? Math.min(Math.max(operations.length, 1), 100) : 1;
}
