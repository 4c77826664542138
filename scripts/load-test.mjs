// npm run test:load [-- Jest arguments]: the scenarios of load/k6 with a real k6, on the PATH.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

ensureInstalled();
ensureBuilt();
run([
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  '--config',
  'test/load/jest.config.js',
  ...process.argv.slice(2),
]);
