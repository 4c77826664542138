import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ErrorDetail } from './domain-error.js';

/** More than this many problems of one request help nobody. */
const maxErrors = 50;

/** What a schema found, as it is answered: at most 50, each with a pointer (RFC 6901). */
export const errorsOf = (issues: readonly StandardSchemaV1.Issue[]): ErrorDetail[] =>
  issues.slice(0, maxErrors).flatMap(describe);

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
