import { authPersistence } from '../../libs/auth/auth.persistence.js';
import type { Persistence } from '../../libs/platform/postgres/persistence.js';
import { tasksPersistence } from '../../libs/tasks/tasks.persistence.js';
import { usersPersistence } from '../../libs/users/users.persistence.js';

/** What the monolith keeps: every feature's schema, in one database. */
export const persistence: readonly Persistence[] = [authPersistence, usersPersistence, tasksPersistence];
