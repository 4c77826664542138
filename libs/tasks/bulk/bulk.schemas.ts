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

/** An operation that its schema refuses. In a call that is not atomic it fails by itself, like one whose task is not there. */
export interface InvalidOperation {
  readonly op: 'invalid';
  readonly issues: readonly z.core.$ZodIssue[];
}

const anyOperation: z.ZodType<
  TaskOperation | InvalidOperation,
  z.input<typeof operationSchema>
> = operationSchema.catch(({ value }) => invalid(value) as never);

const invalid = (value: unknown): InvalidOperation => ({
  op: 'invalid',
  issues: operationSchema.safeParse(value).error?.issues ?? [],
});

export const bulkSchema = z
  .strictObject({
    operations: z.array(anyOperation).min(1).max(100),
    atomic: z.boolean().default(true).meta({
      description:
        'True: all operations or none. False: each operation by itself, also where it is not valid, and the answer is always 200.',
    }),
  })
  .check(({ value: { atomic, operations }, issues }) => {
    if (!atomic || issues.length > 0) return;
    for (const [index, operation] of operations.entries())
      if (operation.op === 'invalid')
        for (const issue of operation.issues)
          issues.push({ ...issue, path: ['operations', index, ...issue.path], input: undefined });
  })
  .meta({ id: 'TaskBulk' });
export type Bulk = z.output<typeof bulkSchema>;
