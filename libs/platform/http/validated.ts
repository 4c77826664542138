import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MalformedRequest, ValidationFailed } from '../errors/common-errors.js';
import type { ErrorDetail } from '../errors/domain-error.js';

/** More than this many problems of one request help nobody. */
const maxErrors = 50;

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
  throw new ValidationFailed(result.issues.slice(0, maxErrors).flatMap(describe));
}

function describe(issue: StandardSchemaV1.Issue): ErrorDetail[] {
  const pointer = pointerOf(issue.path ?? []);
  // Zod's own issues have a code; an unknown field is reported once per field, by its own pointer.
  const code = 'code' in issue && typeof issue.code === 'string' ? issue.code : 'invalid';
  if (code === 'unrecognized_keys' && 'keys' in issue && Array.isArray(issue.keys)) {
    return issue.keys.slice(0, maxErrors).map((key) => ({
      pointer: `${pointer}/${escape(String(key))}`,
      code: 'unknown_field',
      message: 'is not a known field',
    }));
  }
  return [{ pointer, code, message: issue.message }];
}

function pointerOf(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  return path
    .map((segment) => `/${escape(String(typeof segment === 'object' ? segment.key : segment))}`)
    .join('');
}

function escape(key: string): string {
  return key.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}
