import type { ResponseHeader } from '../http/endpoint.js';
import type { Handler } from '../http/handlers.js';
import type { JsonSchema } from './json-schema.js';

const text = { type: 'string' };

/** Headers of answers, by the names under which the document refers to them. */
export const headerComponents: Readonly<Record<string, JsonSchema>> = {
  RequestId: { description: 'Id of this request, yours or ours', schema: text },
  RateLimitPolicy: {
    description:
      'Limits that the call counted against: `"name";q=<points>;w=<window in seconds>`, comma-separated',
    schema: text,
  },
  RateLimit: {
    description:
      'What is left of each limit: `"name";r=<points>;t=<seconds until it is reset>`, comma-separated',
    schema: text,
  },
  RetryAfter: { description: 'Seconds to wait before trying again', schema: { type: 'integer', minimum: 1 } },
  ConsistencyToken: {
    description: 'The position of the database after this write. Send the last one with your requests.',
    schema: text,
  },
  ConsistencyLevel: {
    description:
      'The answer may lack recent changes: no primary database could be asked. Only where the operator prefers that to a 503.',
    schema: { type: 'string', enum: ['best-effort'] },
  },
};

const refer = (name: string): JsonSchema => ({ $ref: `#/components/headers/${name}` });

const ofSuccess: Readonly<Record<ResponseHeader, JsonSchema>> = {
  etag: { description: 'Version of the resource, for If-Match and If-None-Match', schema: text },
  location: {
    description: 'Address of the new resource',
    schema: { type: 'string', format: 'uri-reference' },
  },
  link: { description: 'The next page, as rel="next"', schema: text },
};

/** The headers of an endpoint's answer with that status. Limits are told once the call was counted. */
export function responseHeaders({ endpoint, isPublic }: Handler, status: number): JsonSchema {
  const isCounted = endpoint?.isUnlimited !== true && (status < 300 || status === 304 || status === 429);
  const isSuccess = status === endpoint?.status || status === 304;
  const own = isSuccess ? (endpoint?.headers ?? []) : [];
  return {
    'X-Request-Id': refer('RequestId'),
    ...(isCounted && { 'RateLimit-Policy': refer('RateLimitPolicy'), RateLimit: refer('RateLimit') }),
    ...((status === 429 || status === 503) && { 'Retry-After': refer('RetryAfter') }),
    ...(isSuccess &&
      (endpoint?.writes ?? null) !== null && { 'Consistency-Token': refer('ConsistencyToken') }),
    ...(isSuccess && !isPublic && { 'Consistency-Level': refer('ConsistencyLevel') }),
    ...(Object.fromEntries(own.map((name) => [headerName(name), ofSuccess[name]])) as JsonSchema),
  };
}

const headerName = (name: ResponseHeader): string =>
  name === 'etag' ? 'ETag' : name.replace(/^./, (c) => c.toUpperCase());
