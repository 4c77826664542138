import { Database, DatabaseFactory } from './database.js';

/** A feature's own databases to the database, for the providers of its modules. */
export const featureDatabase = (feature: string) => ({
  provide: Database,
  useFactory: (databases: DatabaseFactory) => databases.forFeature(feature),
  inject: [DatabaseFactory],
});
