import { shared } from '../../jest.config.js';

/** Separate from `npm test`, which needs no cluster. One scenario at a time, because they share the nodes. */
export default {
  ...shared,
  displayName: 'cluster',
  testMatch: ['<rootDir>/test/cluster/**/*.spec.ts'],
  maxWorkers: 1,
  testTimeout: 600_000,
};
