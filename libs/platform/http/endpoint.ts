import 'reflect-metadata';
import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import type { z } from 'zod';
import type { FeatureName } from '../context/feature-name.js';
import type { Scope } from '../context/scope.js';

/** Headers of a success, by name in lower case. */
export type ResponseHeader = 'etag' | 'location' | 'link';

/** What the decorators below declare about a handler; read by guards, interceptor, OpenAPI document and tests. */
export interface Endpoint {
  readonly summary: string;
  readonly description: string | undefined;
  /** Status of success. */
  readonly status: number;
  /** Schema of the body of success; null where there is none. */
  readonly response: z.ZodType | null;
  readonly headers: readonly ResponseHeader[];
  readonly problems: readonly number[];
  readonly isIdempotent: boolean;
  /** It evaluates If-Match and If-None-Match. */
  readonly isConditional: boolean;
  readonly ignoresQuery: boolean;
  readonly bodyTypes: readonly string[];
  /** Longest body that is read. */
  readonly maxBodyBytes: number;
  readonly isPublic: boolean;
  readonly isUnlimited: boolean;
  /** The feature that it writes to; null where it only reads. */
  readonly writes: FeatureName | null;
  /** Scopes that it depends on besides the view of its user, by the unchecked parameters of the path. Null: none. */
  readonly scopes: ScopesOf | null;
  /** Points of the call in all, by its unchecked body. Null: one. */
  readonly cost: ((body: unknown) => number) | null;
  /** Further limits that it counts against. */
  readonly limits: readonly string[];
}

/** @throws Error where the parameters name no scope; then there is none */
export type ScopesOf = (params: Readonly<Record<string, string>>) => readonly Scope[];

const keys = {
  summary: 'endpoint:summary',
  success: 'endpoint:success',
  headers: 'endpoint:headers',
  problems: 'endpoint:problems',
  idempotent: 'endpoint:idempotent',
  conditional: 'endpoint:conditional',
  ignoresQuery: 'endpoint:ignores-query',
  bodyTypes: 'endpoint:body-types',
  maxBody: 'endpoint:max-body',
  public: 'endpoint:public',
  unlimited: 'endpoint:unlimited',
  writes: 'endpoint:writes',
  scopes: 'endpoint:scopes',
  cost: 'endpoint:cost',
  limits: 'endpoint:limits',
  feature: 'endpoint:feature',
} as const;

/** Summary of the operation in a few words, and a description for clients. */
export const Summary = (summary: string, description?: string): MethodDecorator =>
  SetMetadata(keys.summary, { summary, description });

/** Status of success and the schema that the answer goes through, so that nothing undeclared is sent. */
export const Returns = (status: 200 | 201, response: z.ZodType): MethodDecorator =>
  applyDecorators(SetMetadata(keys.success, { status, response }), HttpCode(status));

/** 204: done. 202: accepted, and done later. Neither has a body. */
export const ReturnsNothing = (status: 202 | 204): MethodDecorator =>
  applyDecorators(SetMetadata(keys.success, { status, response: null }), HttpCode(status));

/** Headers of a success. */
export const ResponseHeaders = (...names: readonly ResponseHeader[]): MethodDecorator =>
  SetMetadata(keys.headers, names);

/** Problem statuses beyond those that follow from body, query, authentication and path. */
export const Problems = (...statuses: readonly number[]): MethodDecorator =>
  SetMetadata(keys.problems, statuses);

/** Part of `@IdempotencyKey()`: the handler takes `Idempotency-Key`. */
export function declareIdempotent(handler: object): void {
  Reflect.defineMetadata(keys.idempotent, true, handler);
}

/** The handler takes `@RequestConditions()`. */
export const Conditional = (): MethodDecorator => SetMetadata(keys.conditional, true);

/** Accepts any query parameter: a load balancer may add one to its health check. */
export const IgnoresQuery = (): MethodDecorator => SetMetadata(keys.ignoresQuery, true);

/** Other media types of the request body than application/json. */
export const Accepts = (...types: readonly string[]): MethodDecorator => SetMetadata(keys.bodyTypes, types);

/** The longest body of an endpoint that does not say otherwise: enough for any login, name or key. */
export const usualBodyBytes = 32 * 1024;

/** Takes a body of up to so many bytes. The default is `usualBodyBytes`: what is read and parsed takes time from all others. */
export const MaxBody = (bytes: number): MethodDecorator => SetMetadata(keys.maxBody, bytes);

/** Needs no access token. Everything else does: deny by default. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(keys.public, true);

/** Counts against no limit: load balancers call it all the time. */
export const Unlimited = (): MethodDecorator => SetMetadata(keys.unlimited, true);

/** The handler writes to the controller's feature: the write intent is announced before the body is read. */
export const Writes = (): MethodDecorator => SetMetadata(keys.writes, true);

/**
 * The handler depends on these scopes, too, as `sharedScope('project', id)`: what may be relied on for them is asked for in
 * the round trip that counts the call. Those that are known later are asked for then, with one more round trip.
 */
export const DependsOn = (scopes: ScopesOf): MethodDecorator => SetMetadata(keys.scopes, scopes);

/** Counts against further limits, by their names. */
export const RateLimit = (...names: readonly string[]): MethodDecorator => SetMetadata(keys.limits, names);

/** Part of `@RateLimitCost`: the points of the call, by its unchecked body. */
export const declareCost = (cost: (body: unknown) => number): MethodDecorator => SetMetadata(keys.cost, cost);

/** Makes a controller part of a feature; done where the feature is composed. */
export function assignFeature(controller: object, feature: FeatureName): void {
  Reflect.defineMetadata(keys.feature, feature, controller);
}

interface Described {
  readonly summary: string;
  readonly description?: string;
}
interface Success {
  readonly status: number;
  readonly response: z.ZodType | null;
}

const known = new WeakMap<object, Endpoint | undefined>();

/** All of it, read once for each handler. Undefined where `@Summary` or `@Returns` is missing; a test fails then. */
export function endpointOf(controller: object, handler: object): Endpoint | undefined {
  if (!known.has(handler)) known.set(handler, readEndpoint(controller, handler));
  return known.get(handler);
}

function readEndpoint(controller: object, handler: object): Endpoint | undefined {
  const read = (key: string): unknown => Reflect.getMetadata(key, handler);
  const described = read(keys.summary) as Described | undefined;
  const success = read(keys.success) as Success | undefined;
  if (described === undefined || success === undefined) return undefined;
  const feature = Reflect.getMetadata(keys.feature, controller) as FeatureName | undefined;
  if (read(keys.writes) === true && feature === undefined)
    throw new Error(`${described.summary}: @Writes belongs to a controller of a feature.`);
  return {
    summary: described.summary,
    description: described.description,
    ...success,
    headers: (read(keys.headers) as readonly ResponseHeader[] | undefined) ?? [],
    problems: (read(keys.problems) as readonly number[] | undefined) ?? [],
    isIdempotent: read(keys.idempotent) === true,
    isConditional: read(keys.conditional) === true,
    ignoresQuery: read(keys.ignoresQuery) === true,
    bodyTypes: (read(keys.bodyTypes) as readonly string[] | undefined) ?? [],
    maxBodyBytes: (read(keys.maxBody) as number | undefined) ?? usualBodyBytes,
    isPublic: [handler, controller].some((target) => Reflect.getMetadata(keys.public, target) === true),
    isUnlimited: read(keys.unlimited) === true,
    writes: read(keys.writes) === true ? (feature ?? null) : null,
    scopes: (read(keys.scopes) as ScopesOf | undefined) ?? null,
    cost: (read(keys.cost) as ((body: unknown) => number) | undefined) ?? null,
    limits: (read(keys.limits) as readonly string[] | undefined) ?? [],
  };
}

/** Whether it needs no access token. A handler that is no endpoint needs one. */
export const isPublic = (controller: object, handler: object): boolean =>
  endpointOf(controller, handler)?.isPublic === true;
