import type { Persistence } from '../platform/postgres/persistence.js';
import { AccountEntity } from './account.entity.js';
import { AddAuthOutboxTrace1764100000000 } from './migrations/1764100000000-add-outbox-trace.js';
import { CreateAuth1764000000000 } from './migrations/1764000000000-create-auth.js';
import { SessionEntity } from './sessions/session.entity.js';

export const authPersistence: Persistence = {
  schema: 'auth',
  entities: [AccountEntity, SessionEntity],
  migrations: [CreateAuth1764000000000, AddAuthOutboxTrace1764100000000],
};
