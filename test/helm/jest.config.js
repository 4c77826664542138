import { shared } from '../../jest.config.js';

/** Separate from `npm test`, which needs no cluster tools. */
export default {
  ...shared,
  displayName: 'helm',
  testTimeout: 180_000,
  maxWorkers: 2,
  testMatch: ['<rootDir>/test/helm/**/*.spec.ts'],
};
