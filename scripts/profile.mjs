// npm run profile -- WORKLOAD [--heap] [options]: see load/profile/run.ts.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

ensureInstalled();
ensureBuilt();
run(['--import', './scripts/typescript-hook.mjs', 'load/profile/run.ts', ...process.argv.slice(2)]);
