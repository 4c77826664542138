import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

// The build's own settings (legacy decorators and their metadata keep Nest's constructor injection), so that tests
// run what is shipped; less `exclude`, which keeps tests out of dist.
const { $schema, exclude, ...swc } = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }] },
  // Sources import `./x.js`, which Node finds once compiled; here it is `./x.ts`. Packages keep their own `.js`.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/'],
};

// Jest loads globalSetup and what that imports by Node's own resolver, which the mapper above doesn't reach.
registerHooks({
  resolve(specifier, context, next) {
    const ours =
      specifier.startsWith('.') &&
      specifier.endsWith('.js') &&
      !context.parentURL?.includes('/node_modules/');
    if (!ours || existsSync(new URL(specifier, context.parentURL))) return next(specifier, context);
    return next(specifier.replace(/\.js$/, '.ts'), context);
  },
});

/** Suites on real servers, which start once for all files of a run. */
const onServers = {
  ...shared,
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

export default {
  testTimeout: 30_000,
  maxWorkers: 2,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs}/**/*.spec.ts'] },
    { ...onServers, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.spec.ts'] },
    { ...onServers, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
  ],
};
