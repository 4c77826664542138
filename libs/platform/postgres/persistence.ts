import type { EntitySchema, MigrationInterface } from 'typeorm';

type Class<T = object> = new () => T;

/** What a feature stores: one Postgres schema, its entities and its migrations. */
export interface Persistence {
  /** Name of the Postgres schema. No foreign key or join crosses schemas. */
  readonly schema: string;
  readonly entities: readonly (Class | EntitySchema)[];
  /** In order; each class name ends in its timestamp, as TypeORM asks. */
  readonly migrations: readonly Class<MigrationInterface>[];
}
