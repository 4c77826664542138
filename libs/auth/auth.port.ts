import { featureName } from '../platform/context/feature-name.js';

/** Name of the feature: accounts, sessions and tokens. */
export const auth = featureName('auth');
