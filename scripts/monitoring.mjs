// npm run monitoring [-- --check] and npm run monitoring:pictures -- FILE: run monitoring/generate.ts and monitoring/pictures.ts.
import { ensureInstalled, run } from './bootstrap.mjs';

const [program, ...args] = process.argv.slice(2);

ensureInstalled();
run(['--import', './scripts/typescript-hook.mjs', `monitoring/${program}.ts`, ...args]);
