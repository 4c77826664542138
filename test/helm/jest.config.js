import { shared } from '../../jest.config.js';

/** Apart from `npm test`, which needs no tools of a cluster. */
export default {
  ...shared,
  displayName: 'helm',
  testTimeout: 180_000,
  maxWorkers: 2,
  testMatch: ['<rootDir>/test/helm/**/*.spec.ts'],
};
