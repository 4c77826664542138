import type { Abstract, Provider, Type } from '@nestjs/common';
import type { EntitySchema, MigrationInterface } from 'typeorm';
import type { NamedCache } from '../cache/define-cache.js';
import type { Environment, Variables } from '../config/environment.js';
import type { Rule } from '../config/load.js';
import type { ProcessConfig } from '../config/process.config.js';
import type { FeatureName } from '../context/feature-name.js';
import type { Database } from '../database/database.js';
import type { FillTask, SweepTask } from '../sweeper/sweep-task.js';

type Class<T = object> = new () => T;

/** A port of the feature: what other features may call, and the provider that implements it. */
export interface PortBinding {
  readonly port: Abstract<unknown>;
  readonly by: Type;
  /** Only services need it, commands do not. */
  readonly isForServices?: boolean;
}

/** An extension point to which several features contribute, such as a user's export. `T` is a contribution. */
export interface Extension<T> {
  readonly token: symbol;
  /** Only for the compiler. */
  readonly type?: T;
}

export const extension = <T>(name: string): Extension<T> => ({ token: Symbol(name) });

/** What the feature contributes to an extension point of another one. The provider belongs to the core. */
export interface Contribution<T = unknown> {
  readonly to: Extension<T>;
  readonly by: Type<T>;
}

export const contribution = <T>(to: Extension<T>, by: Type<T>): Contribution => ({ to, by });

/** What a seed gets, and passes on to the next seeds. */
export interface SeedContext {
  readonly database: Database;
  readonly config: Readonly<Record<string, unknown>>;
  /** How many items the seed creates. */
  readonly count: number;
  /** Ids of the users, made by the first seed. */
  userIds: readonly string[];
}

/** Creates example data: `npm run seed -- --<option> <count>`. */
export interface Seed {
  /** Null: one for each user. */
  readonly option: string | null;
  readonly defaultCount: number;
  readonly help: string;
  readonly run: (context: SeedContext) => Promise<void>;
}

/**
 * All that a feature is, in one place. Apps are composed from these definitions: the API, migrations, commands, and the
 * documents that are generated. A new feature is its folder and two lines in `apps/features.ts`:
 * an import and its place in the list.
 */
export interface FeatureDefinition<V extends Variables = Variables> {
  /** Also the name of its Postgres schema. */
  readonly name: FeatureName;
  /** Variables of the environment that it reads, and what must hold between them. */
  readonly variables: V;
  readonly rules: readonly Rule<never>[];
  readonly entities: readonly (Class | EntitySchema)[];
  /** In order; each class name ends in its timestamp, as TypeORM asks. */
  readonly migrations: readonly Class<MigrationInterface>[];
  /** Its caches; names are unique over all features. */
  readonly caches: readonly NamedCache[];
  /** Expired rows to delete, besides those of events and of idempotency keys. */
  readonly sweeps: readonly SweepTask[];
  /** Rows to store anew after a migration, while they are in use. */
  readonly fills: readonly FillTask[];
  /** Publishes events in its transactions: needs the table `outbox`. */
  readonly hasOutbox: boolean;
  /** Accepts idempotency keys: needs the table `idempotency_keys`. */
  readonly hasIdempotency: boolean;
  /** Providers behind its ports. They need no other feature, so that features can need each other's ports. */
  readonly core: readonly Provider[];
  /** The same, only in services; commands do not have them. */
  readonly serviceCore: readonly Provider[];
  readonly ports: readonly PortBinding[];
  readonly controllers: readonly Type[];
  /** Classes with `@OnEvent` methods. They may need ports of other features. With any, the table `inbox` is needed. */
  readonly consumers: readonly Type[];
  /** Its services, which may need ports of other features. */
  readonly providers: readonly Provider[];
  readonly contributions: readonly Contribution[];
  readonly seed: Seed | null;
}

type Given<V extends Variables> = Pick<FeatureDefinition<V>, 'name'> &
  Partial<Omit<FeatureDefinition<V>, 'rules'>> & {
    readonly rules?: readonly Rule<Environment<V> & ProcessConfig>[];
  };

/** A definition with what most features need. */
export function defineFeature<V extends Variables = Variables>(given: Given<V>): FeatureDefinition<V> {
  return {
    ...{ variables: {} as V, rules: [], entities: [], migrations: [], caches: [], sweeps: [], fills: [] },
    ...{
      hasOutbox: false,
      hasIdempotency: false,
      core: [],
      serviceCore: [],
      ports: [],
      controllers: [],
      consumers: [],
      providers: [],
    },
    ...{ contributions: [], seed: null },
    ...given,
  };
}
