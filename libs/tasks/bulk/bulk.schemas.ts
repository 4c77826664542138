import { z } from 'zod';
import { uuid } from '../../platform/schemas/fields.js';
import { createTaskSchema, patchTaskSchema, taskSchema } from '../tasks.schemas.js';

const ifVersion = () =>
  z
    .int()
    .min(1)
    .max(2_147_483_647)
    .optional()
    .meta({ description: 'Only if the task is at this version, else 412' });

const operationSchema = z
  .discriminatedUnion('op', [
    z.strictObject({ op: z.literal('create'), data: createTaskSchema }),
    z.strictObject({ op: z.literal('update'), id: uuid(), data: patchTaskSchema, if_version: ifVersion() }),
    z.strictObject({ op: z.literal('delete'), id: uuid(), if_version: ifVersion() }),
  ])
  .meta({ id: 'TaskOperation' });
export type TaskOperation = z.output<typeof operationSchema>;

export const bulkSchema = z
  .strictObject({
    operations: z.array(operationSchema).min(1).max(100),
    atomic: z.boolean().default(true).meta({
      description:
        'All or nothing. False: each operation stands for itself, and the answer is 200 all the same.',
    }),
  })
  .meta({ id: 'TaskBulk' });
export type Bulk = z.output<typeof bulkSchema>;

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
export type OperationResult = z.input<typeof operationResultSchema>;

export const bulkResultSchema = z
  .strictObject({
    results: z.array(operationResultSchema).meta({ description: 'One for each operation, in their order' }),
  })
  .meta({ id: 'TaskBulkResult' });
