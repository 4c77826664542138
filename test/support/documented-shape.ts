import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Client } from './client.js';

/** Complaints about the JSON body of an answer of 200, by the OpenAPI document that the same process serves; empty if it is right. */
export type ShapeCheck = (method: string, path: string, body: unknown) => readonly string[];

export async function documentedShapes(process: Client): Promise<ShapeCheck> {
  const { status, body: document } = await process.request('GET', '/openapi.json');
  if (status !== 200) throw new Error(`/openapi.json was answered by ${status}.`);
  // Other keywords of the document constrain nothing, and formats are left to the tests of the routes.
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  return (method, path, body) => complaintsOf(schemaOf(ajv, method, path), body);
}

function schemaOf(ajv: Ajv2020, method: string, path: string): ValidateFunction {
  const place = ['paths', path, method.toLowerCase(), 'responses', '200', 'content', 'application/json'];
  const pointer = place.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')));
  return ajv.compile({ $ref: `openapi#/${pointer.join('/')}/schema` });
}

function complaintsOf(validate: ValidateFunction, body: unknown): readonly string[] {
  if (validate(body)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}
