import type { ApiOptions } from '../../../apps/api/run.js';
import { authFeature } from '../../../libs/auth/auth.feature.js';
import { tasksFeature } from '../../../libs/tasks/tasks.feature.js';
import { usersFeature } from '../../../libs/users/users.feature.js';
import { HttpDatabaseOwner, OwnerClient, ownerClientModule } from './owner-client.js';
import { ownerServerModule } from './owner-server.js';

/** Variables that say which part of the features a process has; a process without them has all. */
export interface SplitVariables {
  readonly TEST_PART?: string | undefined;
  /** Of the process that owns the accounts. */
  readonly TEST_OWNER_PORT?: string | undefined;
  /** Where tasks finds those processes, separated by commas. */
  readonly TEST_OWNER_URLS?: string | undefined;
}

/** What a process of that part is composed of: accounts (auth and users) or tasks, each with a database of its own. */
export function compositionOf({ TEST_PART, TEST_OWNER_PORT, TEST_OWNER_URLS }: SplitVariables): ApiOptions {
  switch (TEST_PART) {
    case undefined:
      return {};
    case 'accounts':
      return {
        features: [authFeature, usersFeature],
        modules: [ownerServerModule(Number(TEST_OWNER_PORT))],
      };
    case 'tasks': {
      const client = new OwnerClient((TEST_OWNER_URLS ?? '').split(','));
      return {
        features: [tasksFeature],
        modules: [ownerClientModule(client)],
        owners: [new HttpDatabaseOwner(client)],
      };
    }
    default:
      throw new Error(`There is no part ${TEST_PART}.`);
  }
}
