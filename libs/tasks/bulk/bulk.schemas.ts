import { z } from 'zod';
import { uuid } from '../../platform/schemas/fields.js';
import { createTaskSchema, patchTaskSchema } from '../tasks.schemas.js';

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
        'True: all operations or none. False: each operation by itself, and the answer is always 200.',
    }),
  })
  .meta({ id: 'TaskBulk' });
export type Bulk = z.output<typeof bulkSchema>;
