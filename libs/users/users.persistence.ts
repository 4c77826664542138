import type { Persistence } from '../platform/postgres/persistence.js';
import { AddUsersOutboxTrace1764100000000 } from './migrations/1764100000000-add-outbox-trace.js';
import { CreateProfiles1764000000000 } from './migrations/1764000000000-create-profiles.js';
import { ProfileEntity } from './profile.entity.js';

export const usersPersistence: Persistence = {
  schema: 'users',
  entities: [ProfileEntity],
  migrations: [CreateProfiles1764000000000, AddUsersOutboxTrace1764100000000],
};
