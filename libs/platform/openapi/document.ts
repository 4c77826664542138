import type { INestApplicationContext } from '@nestjs/common';
import { z } from 'zod';
import { headerComponents, responseHeaders } from './headers.js';
import { listHandlers, type Handler } from '../http/handlers.js';
import { SchemaConverter, type JsonSchema } from './json-schema.js';

interface Info {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    request_id: z.string(),
    errors: z.array(z.strictObject({ pointer: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'Problem', description: 'Every error (RFC 9457).' });

const descriptions: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted: the work is done later',
  204: 'No Content',
  304: 'Not Modified: your copy is current',
  400: 'The request can not be read',
  401: 'No valid access token',
  403: 'You have no right to this',
  404: 'It does not exist, or is not yours',
  408: 'The request did not arrive in time',
  409: 'It conflicts with the current state',
  412: 'It is at another version than If-Match and If-None-Match ask for',
  413: 'The body is too large',
  415: 'The media type of the body is not supported',
  422: 'The request has invalid fields',
  429: 'Too many requests',
  503: 'A part of the service is not available, or the request took too long',
};

/** The OpenAPI 3.1 document, made from the very schemas that validate requests and shape answers. */
export function createOpenApiDocument(app: INestApplicationContext, info: Info): JsonSchema {
  const converter = new SchemaConverter();
  const paths: Record<string, Record<string, unknown>> = {};
  const problem = converter.convert(problemSchema, 'output');
  for (const handler of listHandlers(app)) {
    const path = handler.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [handler.method]: operation(handler, converter, problem) };
  }
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: converter.components,
      headers: headerComponents,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operation(handler: Handler, converter: SchemaConverter, problem: JsonSchema): JsonSchema {
  const { endpoint, schemas } = handler;
  if (endpoint === undefined) throw new Error(`${handler.method} ${handler.path} lacks @Summary or @Returns`);
  return {
    operationId: `${handler.tag}.${handler.name}`,
    tags: [handler.tag],
    summary: endpoint.summary,
    ...(endpoint.description !== undefined && { description: endpoint.description }),
    ...(handler.isPublic && { security: [] }),
    parameters: [
      ...parametersOf(converter, schemas.param, 'path'),
      ...parametersOf(converter, schemas.query, 'query'),
      ...headerParameters(handler),
    ],
    ...(schemas.body !== undefined && {
      requestBody: {
        required: true,
        content: bodyContent(handler, converter.convert(schemas.body, 'input')),
      },
    }),
    responses: responsesOf(handler, converter, problem),
  };
}

function bodyContent(handler: Handler, schema: JsonSchema): JsonSchema {
  const types = ['application/json', ...(handler.endpoint?.bodyTypes ?? [])];
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function parametersOf(
  converter: SchemaConverter,
  schema: z.ZodType | undefined,
  place: 'path' | 'query',
): JsonSchema[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, member]) => {
    const { description, ...converted } = converter.convert(member, 'input');
    return {
      name,
      in: place,
      required: place === 'path' || !member.safeParse(undefined).success,
      ...(description !== undefined && { description }),
      ...(place === 'query' &&
        converted.type === 'array' && { explode: !converter.isCommaSeparated(member) }),
      schema: converted,
    };
  });
}

const tokenDescription =
  'The last token that you got. It keeps reads fast while Redis is away. A token that is not yours is ignored.';

const conditionParameters = Object.entries({
  'If-Match': 'Only if this is the current version',
  'If-None-Match': 'Only if this is not the current version',
}).map(([name, description]) => ({
  ...{ name, in: 'header', required: false, description },
  schema: { type: 'string', pattern: '^(\\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$' },
}));

function headerParameters({ endpoint, isPublic }: Handler): JsonSchema[] {
  const conditions = endpoint?.isConditional === true ? conditionParameters : [];
  // A feature's reads and writes go by it; what is public has no user to whom it belongs.
  const token = isPublic
    ? []
    : [
        {
          name: 'Consistency-Token',
          in: 'header',
          required: false,
          description: tokenDescription,
          schema: { type: 'string' },
        },
      ];
  if (endpoint?.isIdempotent !== true) return [...conditions, ...token];
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Gives retries of this request one effect, for 24 hours',
    schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
  };
  return [...conditions, ...token, key];
}

function responsesOf(handler: Handler, converter: SchemaConverter, problem: JsonSchema): JsonSchema {
  const { endpoint } = handler;
  if (endpoint === undefined) return {};
  const success = {
    description: descriptions[endpoint.status],
    headers: responseHeaders(handler, endpoint.status),
    ...(endpoint.response !== null && {
      content: { 'application/json': { schema: converter.convert(endpoint.response, 'output') } },
    }),
  };
  const problems = problemStatuses(handler).map((status) => [
    status,
    {
      description: descriptions[status],
      headers: responseHeaders(handler, status),
      content: { 'application/problem+json': { schema: problem } },
    },
  ]);
  const notModified =
    endpoint.isConditional && handler.method === 'get'
      ? { 304: { description: descriptions[304], headers: responseHeaders(handler, 304) } }
      : {};
  return { [endpoint.status]: success, ...notModified, ...(Object.fromEntries(problems) as JsonSchema) };
}

/** What follows from the shape of an endpoint; its own problems come on top. */
function problemStatuses({ endpoint, schemas, isPublic }: Handler): number[] {
  const takesBody = schemas.body !== undefined;
  const statuses = new Set([
    400,
    408,
    422,
    ...(endpoint?.isUnlimited ? [] : [429]),
    503,
    ...(isPublic ? [] : [401]),
    ...(takesBody ? [413, 415] : []),
    ...(schemas.param !== undefined ? [404] : []),
    ...(endpoint?.isIdempotent ? [409] : []),
    ...(endpoint?.isConditional ? [412] : []),
    ...(endpoint?.problems ?? []),
  ]);
  return [...statuses].sort((a, b) => a - b);
}
