import { featureName } from '../../../libs/platform/context/feature-name.js';
import { sharedScope, type Scope } from '../../../libs/platform/context/scope.js';

/** Name of the feature and of its Postgres schema. */
export const sharedLists = featureName('shared_lists');

/** What all members of a list see of it. */
export const listScope = (listId: string): Scope => sharedScope('list', listId);
