import { shared } from '../../jest.config.js';

/** Separate from `npm test`, which needs no k6. */
export default {
  ...shared,
  displayName: 'load',
  testTimeout: 180_000,
  maxWorkers: 1,
  testMatch: ['<rootDir>/test/load/**/*.spec.ts'],
};
