import { shared } from '../../jest.config.js';

/** Apart from `npm test`: it takes minutes, and what it watches needs the processors. */
export default {
  ...shared,
  displayName: 'monitoring',
  testMatch: ['<rootDir>/test/monitoring/**/*.spec.ts'],
  maxWorkers: 1,
  // What is skipped is seen.
  verbose: true,
  testTimeout: 120_000,
};
