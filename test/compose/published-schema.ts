import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Errors of a document according to a published schema; empty if it is valid. */
export async function complaintsOf(
  schemaName: 'compose-spec' | 'skaffold-v4beta13',
  document: unknown,
): Promise<readonly string[]> {
  const file = join(import.meta.dirname, 'schemas', `${schemaName}.json`);
  const schema = JSON.parse(await readFile(file, 'utf8')) as { readonly $schema: string };
  // Additional keywords of the schemas, such as `deprecated`, constrain nothing.
  const options = { strict: false, allErrors: true };
  const ajv = schema.$schema.includes('2020-12') ? new Ajv2020(options) : new Ajv(options);
  const validate = ajv.compile(schema);
  if (validate(document)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}
