import { Database, DatabaseDoor } from './database.js';

/** A feature's own door to the database, for the providers of its modules. */
export const featureDatabase = (feature: string) => ({
  provide: Database,
  useFactory: (door: DatabaseDoor) => door.of(feature),
  inject: [DatabaseDoor],
});
