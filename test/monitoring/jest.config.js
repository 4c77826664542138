import { shared } from '../../jest.config.js';

/** Separate from `npm test`: it takes minutes, and the processes that it observes need the CPUs. */
export default {
  ...shared,
  displayName: 'monitoring',
  testMatch: ['<rootDir>/test/monitoring/**/*.spec.ts'],
  maxWorkers: 1,
  // Shows skipped tests.
  verbose: true,
  testTimeout: 120_000,
};
