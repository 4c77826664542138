// npm test [-- Jest arguments], such as `--selectProjects unit` or a part of a file name.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

ensureInstalled();
// Some suites start the compiled apps as separate processes.
ensureBuilt();
run(['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...process.argv.slice(2)]);
