import { CreatePlatform1764000000000 } from './migrations/1764000000000-create-platform.js';
import type { Persistence } from './persistence.js';

/** What the platform itself stores, in every database of the product. */
export const platformPersistence: Persistence = {
  schema: 'platform',
  entities: [],
  migrations: [CreatePlatform1764000000000],
};
