import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MalformedRequest, ValidationFailed } from '../errors/common-errors.js';
import type { ErrorDetail } from '../errors/domain-error.js';

/** More than this many problems of one request help nobody. */
const maxErrors = 50;

/** Validates each argument by the schema given where it is declared: `@Body({ schema })`. */
@Injectable()
export class SchemaValidationPipe implements PipeTransform {
  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { schema, type } = metadata;
    if (schema === undefined || type === 'custom') return value;
    if (type === 'body' && value === undefined)
      throw new MalformedRequest('A JSON body is needed.', 'body_required');
    const result = await schema['~standard'].validate(value);
    if (result.issues === undefined) return result.value;
    const errors = result.issues.slice(0, maxErrors).flatMap(describe);
    throw new ValidationFailed(errors);
  }
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
