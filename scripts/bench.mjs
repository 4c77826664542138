// npm run bench [-- NAME [arguments]]: runs load/NAME.ts against the compiled API; all that have a ratio to reach unless named.
import { existsSync } from 'node:fs';
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

const [name = 'ratios', ...args] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name) || !existsSync(new URL(`../load/${name}.ts`, import.meta.url))) {
  console.error(
    'Which one? npm run bench -- cached-list | hit-rate | replica-share | redis-loss | database-loss | list-scale |\n' +
      '  login-timing | scrape | overhead [metrics | logs | traces-10 | traces-0 | unconfigured] | soak | first-task;\n' +
      '  without a name those from cached-list to list-scale.',
  );
  process.exit(64);
}
ensureInstalled();
ensureBuilt();
run(['--import', './scripts/typescript-hook.mjs', `load/${name}.ts`, ...args]);
