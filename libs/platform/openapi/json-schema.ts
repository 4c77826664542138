import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

/** What `.meta()` of a schema may say to the document, where Zod can't know it (a query string holds only text). */
interface OpenApiMeta {
  readonly openapi?: JsonSchema;
  readonly explode?: boolean;
}

/** Turns Zod schemas into JSON Schema 2020-12, the dialect of OpenAPI 3.1; those with an id become components. */
export class SchemaConverter {
  readonly components: Record<string, JsonSchema> = {};

  convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { $schema, $defs, ...root } = z.toJSONSchema(schema, {
      io,
      target: 'draft-2020-12',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        applyMeta(zodSchema, jsonSchema);
      },
    }) as JsonSchema & { $defs?: Record<string, JsonSchema> };
    for (const [name, definition] of Object.entries($defs ?? {})) this.components[name] = relink(definition);
    const id = z.globalRegistry.get(schema)?.id;
    if (typeof id !== 'string') return relink(root);
    // A schema with an id is among its own definitions, and the root then only refers to it.
    if (root.$ref === undefined) this.components[id] = relink(root);
    return { $ref: `#/components/schemas/${id}` };
  }

  /** True for an array parameter that is one comma-separated value. */
  isCommaSeparated(schema: z.ZodType): boolean {
    return metaOf(schema)?.explode === false;
  }
}

function applyMeta(zodSchema: z.core.$ZodType, jsonSchema: JsonSchema): void {
  const meta = metaOf(zodSchema);
  delete jsonSchema.explode;
  delete jsonSchema.id;
  if (meta?.openapi === undefined) return;
  const { description } = jsonSchema;
  for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
  Object.assign(jsonSchema, meta.openapi, description !== undefined && { description });
}

/** Optional and default wrap the schema that carries the meta. */
function metaOf(schema: z.core.$ZodType): OpenApiMeta | undefined {
  const meta = z.globalRegistry.get(schema) as OpenApiMeta | undefined;
  if (meta?.openapi !== undefined || meta?.explode !== undefined) return meta;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return metaOf(schema.unwrap());
  return undefined;
}

function relink<T>(value: T): T {
  const text = JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as T;
}
