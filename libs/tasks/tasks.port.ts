import { featureName } from '../platform/context/feature-name.js';

/** Name of the feature and of its Postgres schema. */
export const tasks = featureName('tasks');
