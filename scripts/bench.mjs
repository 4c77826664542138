// npm run bench -- NAME [arguments]: runs load/NAME.ts against the compiled API.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

const [name, ...args] = process.argv.slice(2);
if (!name) {
  console.error('Which one? npm run bench -- login-timing | soak | first-task | list-scale');
  process.exit(64);
}
ensureInstalled();
ensureBuilt();
run(['--import', './scripts/typescript-hook.mjs', `load/${name}.ts`, ...args]);
