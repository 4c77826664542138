import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import type { ExecutionContext } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { validated } from './validated.js';

/** Nest's `RouteParamtypes` (it exports no such enum). */
const kinds: Readonly<Record<number, 'body' | 'query' | 'param' | 'headers'>> = {
  3: 'body',
  4: 'query',
  5: 'param',
  6: 'headers',
};
type Kind = (typeof kinds)[number];

/** A parameter of a handler, as Nest's decorators declare it. */
interface Declared {
  readonly index: number;
  readonly data?: unknown;
  readonly schema?: StandardSchemaV1;
  readonly pipes?: readonly unknown[];
  readonly factory?: (data: unknown, context: ExecutionContext) => unknown;
}

type Read = (request: FastifyRequest, context: ExecutionContext) => unknown;

/** What a handler is called with, in the order of its parameters. */
export interface RouteArguments {
  readonly kinds: ReadonlySet<Kind>;
  /** @throws ValidationFailed, MalformedRequest, or what a parameter decorator throws */
  read(request: FastifyRequest, context: ExecutionContext): unknown[] | Promise<unknown[]>;
}

/** Addresses that are asked for again and again need not be validated again and again. */
const maxQueries = 1000;
const maxQueryLength = 256;

/**
 * Reads the decorators of a handler once, so that a request costs a few calls.
 *
 * @throws Error for a parameter with pipes or of another kind: there is no place for them here
 */
export function argumentsOf(controller: object, name: string): RouteArguments {
  const metadata = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Readonly<
    Record<string, Declared>
  >;
  const readers: (Read | undefined)[] = [];
  const found = new Set<Kind>();
  for (const [key, declared] of Object.entries(metadata)) {
    const kind = kinds[Number(key.split(':', 1)[0])];
    if (kind !== undefined) found.add(kind);
    readers[declared.index] = readerOf(kind, declared, `${name}: parameter ${declared.index}`);
  }
  const all = Array.from(readers, (reader) => reader ?? (() => undefined));
  return { kinds: found, read: (request, context) => settled(all.map((read) => read(request, context))) };
}

function readerOf(kind: Kind | undefined, declared: Declared, place: string): Read {
  const { factory, schema, pipes = [] } = declared;
  if (pipes.length > 0) throw new Error(`${place} has a pipe; declare a schema instead.`);
  if (factory !== undefined) return (_, context) => factory(declared.data, context);
  if (kind === undefined) throw new Error(`${place} is of a kind that is not supported.`);
  const member = typeof declared.data === 'string' ? declared.data : null;
  const raw = rawReader(kind, member);
  if (schema === undefined) return raw;
  const read: Read = (request) => validated(schema, raw(request), kind);
  return kind === 'query' && member === null ? remembered(read) : read;
}

function rawReader(kind: Kind, member: string | null): (request: FastifyRequest) => unknown {
  const source = kind === 'param' ? 'params' : kind;
  if (member === null) return (request) => request[source];
  const name = kind === 'headers' ? member.toLowerCase() : member;
  return (request) => (request[source] as Readonly<Record<string, unknown>> | undefined)?.[name];
}

/** The value of a query depends on nothing but its text. Handlers share it, and change nothing in it. */
function remembered(read: Read): Read {
  const known = new LRUCache<string, object>({ max: maxQueries });
  return (request, context) => {
    const { url } = request;
    const start = url.indexOf('?');
    const query = start < 0 ? '' : url.slice(start);
    const value = known.get(query);
    if (value !== undefined) return value;
    const fresh = read(request, context);
    if (
      typeof fresh === 'object' &&
      fresh !== null &&
      !(fresh instanceof Promise) &&
      query.length <= maxQueryLength
    )
      known.set(query, Object.freeze(fresh));
    return fresh;
  };
}

const settled = (values: unknown[]): unknown[] | Promise<unknown[]> =>
  values.some((value) => value instanceof Promise) ? Promise.all(values) : values;
