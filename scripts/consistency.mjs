// npm run test:consistency -- --seconds N [...]: see test/consistency/run.ts.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

ensureInstalled();
ensureBuilt();
run(['--import', './scripts/typescript-hook.mjs', 'test/consistency/run.ts', ...process.argv.slice(2)]);
