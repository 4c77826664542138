// npm run monitoring [-- --check]: see monitoring/generate.ts.
import { ensureInstalled, run } from './bootstrap.mjs';

ensureInstalled();
run(['--import', './scripts/typescript-hook.mjs', 'monitoring/generate.ts', ...process.argv.slice(2)]);
