import { RequestMethod, type INestApplicationContext, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import { ModulesContainer } from '@nestjs/core';
import { z } from 'zod';
import { endpointOf, isPublic, type Endpoint } from './endpoint.js';

/** Nest's `RouteParamtypes` (it exports no such enum). */
const kinds: Readonly<Record<number, 'body' | 'query' | 'param'>> = { 3: 'body', 4: 'query', 5: 'param' };

type Class = Type<object>;

/** A route as its decorators declare it. */
export interface Handler {
  readonly name: string;
  readonly tag: string;
  readonly method: string;
  /** With `:name` parameters. */
  readonly path: string;
  readonly isPublic: boolean;
  /** Undefined where a decorator is missing; a test fails then. */
  readonly endpoint: Endpoint | undefined;
  readonly controller: Class;
  readonly handler: (...args: never[]) => unknown;
  readonly schemas: Partial<Record<'body' | 'query' | 'param', z.ZodType>>;
  /** Kinds of arguments that are declared without a schema. */
  readonly unchecked: readonly string[];
}

/** All routes of the application's controllers, sorted by path and method. */
export function listHandlers(app: INestApplicationContext): Handler[] {
  const handlers = new Map<string, Handler>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      for (const handler of handlersOf(metatype as Class))
        handlers.set(`${handler.path} ${handler.method}`, handler);
    }
  }
  return [...handlers.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, handler]) => handler);
}

function handlersOf(controller: Class): Handler[] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const method = name === 'constructor' ? undefined : prototype[name];
    const path: unknown =
      typeof method === 'function' ? Reflect.getMetadata(PATH_METADATA, method) : undefined;
    if (typeof method !== 'function' || typeof path !== 'string') return [];
    return [describe(controller, name, method as Handler['handler'], path)];
  });
}

function describe(controller: Class, name: string, method: Handler['handler'], path: string): Handler {
  const base = String(Reflect.getMetadata(PATH_METADATA, controller) ?? '');
  const fullPath = `/${base}/${path}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
  const verb = Reflect.getMetadata(METHOD_METADATA, method) as RequestMethod;
  return {
    name,
    tag: controller.name.replace(/Controller$/, '').toLowerCase(),
    method: RequestMethod[verb].toLowerCase(),
    path: fullPath,
    isPublic: isPublic(controller, method),
    endpoint: endpointOf(controller, method),
    controller,
    handler: method,
    ...argumentsOf(controller, name),
  };
}

function argumentsOf(controller: Class, name: string): Pick<Handler, 'schemas' | 'unchecked'> {
  const declared = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { schema?: unknown; data?: unknown }
  >;
  const schemas: Handler['schemas'] = {};
  const unchecked: string[] = [];
  for (const [key, { schema, data }] of Object.entries(declared)) {
    const kind = kinds[Number(key.split(':', 1)[0])];
    if (kind === undefined) continue;
    if (!(schema instanceof z.ZodType)) unchecked.push(kind);
    // `@Param('id', { schema })` checks one member; `@Param({ schema })` all of them.
    else if (typeof data === 'string') schemas[kind] = mergeMember(schemas[kind], data, schema);
    else schemas[kind] = schema;
  }
  return { schemas, unchecked };
}

function mergeMember(present: z.ZodType | undefined, name: string, schema: z.ZodType): z.ZodType {
  const shape = present instanceof z.ZodObject ? present.shape : {};
  return z.strictObject({ ...shape, [name]: schema });
}
