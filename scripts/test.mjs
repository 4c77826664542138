// npm test [-- jest's arguments], such as `--selectProjects unit` or a part of a file's name.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

ensureInstalled();
// Some suites start the compiled apps as processes of their own.
ensureBuilt();
run(['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...process.argv.slice(2)]);
