// npm run load -- SCENARIO [options]: runs a scenario of load/k6, see load/scenarios/run.ts.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

ensureInstalled();
ensureBuilt();
run(['--import', './scripts/typescript-hook.mjs', 'load/scenarios/run.ts', ...process.argv.slice(2)]);
