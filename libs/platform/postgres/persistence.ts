import type { EntitySchema, MigrationInterface } from 'typeorm';

type Class<T = object> = new () => T;

/** What a feature keeps: one Postgres schema, its tables and the way to them. */
export interface Persistence {
  /** Name of the Postgres schema; no foreign key or join leaves it. */
  readonly schema: string;
  readonly entities: readonly (Class | EntitySchema)[];
  /** In order; each class name ends in its timestamp, as TypeORM asks. */
  readonly migrations: readonly Class<MigrationInterface>[];
}
