import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Operation {
  readonly method: string;
  /** With `{name}` parameters. */
  readonly path: string;
  readonly isPublic: boolean;
  readonly statuses: readonly number[];
  /** JSON Schema of the JSON body, references resolved one level, or null. */
  readonly body: Schema | null;
  readonly queryParameters: readonly string[];
}

export interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface RawOperation {
  readonly security?: readonly unknown[];
  readonly responses: Readonly<Record<string, unknown>>;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

const file = join(import.meta.dirname, '..', '..', 'apps', 'api', 'openapi.json');

/** Every operation of the committed document, so that a test over all of them also covers later ones. */
export function listOperations(): readonly Operation[] {
  const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, raw]) => ({
      method: method.toUpperCase(),
      path,
      isPublic: raw.security?.length === 0,
      statuses: Object.keys(raw.responses).map(Number),
      body: resolve(document, raw.requestBody?.content['application/json']?.schema),
      queryParameters: raw.parameters.filter((p) => p.in === 'query').map((p) => p.name),
    })),
  );
}

function resolve(document: Document, schema: Schema | undefined): Schema | null {
  if (schema === undefined) return null;
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  return document.components.schemas[reference.split('/').at(-1) ?? ''] ?? null;
}
