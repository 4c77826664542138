import { CreatePlatform1764000000000 } from './migrations/1764000000000-create-platform.js';
import { AddDatabaseIdentity1764200000000 } from './migrations/1764200000000-add-database-identity.js';
import { AddCommitRule1764600000000 } from './migrations/1764600000000-add-commit-rule.js';
import type { Persistence } from './persistence.js';

/** What the platform itself stores, in every database of the product. */
export const platformPersistence: Persistence = {
  schema: 'platform',
  entities: [],
  migrations: [CreatePlatform1764000000000, AddDatabaseIdentity1764200000000, AddCommitRule1764600000000],
};
