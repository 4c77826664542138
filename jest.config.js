import { readFileSync } from 'node:fs';
// Jest loads globalSetup and its imports with Node's own resolver, which ignores the mapper below.
import './scripts/typescript-hook.mjs';

// The settings of the build (Nest's constructor injection needs legacy decorators and their metadata), so that tests run
// the code that is shipped; without `exclude`, which keeps tests out of dist.
const { $schema, exclude, ...swc } = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));

/** Settings of all projects. */
export const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }] },
  // Sources import `./x.js`, which exists only after the build; here it is `./x.ts`. Packages keep their own `.js`.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/', '<rootDir>/.cache/'],
};

/** Real servers, which start once for all files of a run. Jest runs a setup file only once, even if two projects name it. */
const serversOf = (suffix) => ({
  globalSetup: `<rootDir>/test/support/global-setup${suffix}.ts`,
  globalTeardown: `<rootDir>/test/support/global-teardown${suffix}.ts`,
});

export default {
  testTimeout: 30_000,
  maxWorkers: 2,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{apps,libs,load,monitoring}/**/*.spec.ts',
        '<rootDir>/test/{consistency,docs,support}/**/*.spec.ts',
      ],
    },
    {
      ...shared,
      ...serversOf(''),
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.spec.ts'],
    },
    { ...shared, ...serversOf('-e2e'), displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
  ],
};
