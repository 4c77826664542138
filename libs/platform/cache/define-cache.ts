import type { z } from 'zod';
import type { Cache, CacheDefinition } from './cache.js';
import type { Caches } from './caches.js';
import type { Serialized } from './serialized.js';

/** A cache of a feature. Services get it by `@Inject(definition.token)`, once the feature lists it among its caches. */
export interface NamedCache<V = unknown> extends CacheDefinition {
  readonly token: symbol;
  readonly open: (caches: Caches) => Cache<V>;
}

/** A cache of values, which are stored as JSON by their schema. */
export const valueCache = <S extends z.ZodType>(
  definition: CacheDefinition,
  schema: S,
): NamedCache<z.input<S>> => ({
  ...definition,
  token: Symbol(definition.name),
  open: (caches) => caches.values(definition, schema),
});

/** A cache of answers of that schema, ready to send. */
export const answerCache = <S extends z.ZodType>(
  definition: CacheDefinition,
  schema: S,
): NamedCache<Serialized<z.input<S>>> => ({
  ...definition,
  token: Symbol(definition.name),
  open: (caches) => caches.serialized(definition, schema),
});
