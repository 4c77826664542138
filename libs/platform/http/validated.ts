import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MalformedRequest, ValidationFailed } from '../errors/common-errors.js';
import { errorsOf } from '../errors/schema-errors.js';

/**
 * A value after its schema; a promise where the schema takes its time.
 *
 * @throws ValidationFailed, with a pointer to each problem; MalformedRequest where a body is missing
 */
export function validated(schema: StandardSchemaV1, value: unknown, kind: string): unknown {
  if (kind === 'body' && value === undefined)
    throw new MalformedRequest('A JSON body is needed.', 'body_required');
  const result = schema['~standard'].validate(value);
  return result instanceof Promise ? result.then(valueOf) : valueOf(result);
}

function valueOf(result: StandardSchemaV1.Result<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  throw new ValidationFailed(errorsOf(result.issues));
}
