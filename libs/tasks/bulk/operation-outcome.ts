import { z } from 'zod';
import type { ErrorKind } from '../../platform/errors/domain-error.js';
import { taskSchema } from '../tasks.schemas.js';

/** A kind that is missing here does not compile. */
const kinds: { readonly [K in ErrorKind]: K } = {
  malformed: 'malformed',
  unauthenticated: 'unauthenticated',
  forbidden: 'forbidden',
  not_found: 'not_found',
  conflict: 'conflict',
  version_mismatch: 'version_mismatch',
  invalid: 'invalid',
  rate_limited: 'rate_limited',
  unavailable: 'unavailable',
};

const failureSchema = z.strictObject({
  kind: z.enum(kinds),
  code: z.string(),
  message: z.string(),
  errors: z.array(z.strictObject({ pointer: z.string(), code: z.string(), message: z.string() })),
});

/** What came of one operation of a bulk call. Idempotency stores outcomes in this form. */
const operationOutcomeSchema = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('created'), task: taskSchema }),
  z.strictObject({ outcome: z.literal('updated'), task: taskSchema }),
  z.strictObject({ outcome: z.literal('deleted') }),
  z.strictObject({ outcome: z.literal('failed'), failure: failureSchema }),
]);
export type OperationOutcome = z.input<typeof operationOutcomeSchema>;

export const operationOutcomesSchema = z.array(operationOutcomeSchema);
